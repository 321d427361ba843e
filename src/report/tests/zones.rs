//! A column's name may tell the zone of its times.

use super::*;

const YORK: &str = "from=2026-06-01\nto=2026-06-30\nzone=0:-14400";

/// The date of the only order, or the error's code.
fn date(options: &str, source: &str, text: &str) -> String {
    let mut report = open(options);
    let read = add(&mut report, &format!("kind=orders\n{source}"), text, 1_000);
    if let Err(error) = read {
        return error.code().to_owned();
    }
    reconcile(&mut report).unwrap();
    let rows = rows(&mut report, "");
    rows[0]["order"]["date"]
        .as_str()
        .unwrap_or("none")
        .to_owned()
}

const MAY: &str = "2026-05-31 22:00:00";
const AS_WRITTEN: &str = "2026-06-01 02:00:00";

fn csv(column: &str) -> String {
    format!("order_id,{column},revenue\n1001,2026-06-01 02:00:00,22.00\n")
}

fn stripe(column: &str) -> String {
    format!(
        "id,{column},Amount,Currency,Status,Converted Amount\n\
         ch_1,2026-06-01 02:00,22.00,usd,Paid,22.00\n"
    )
}

fn json(field: &str) -> String {
    format!(r#"[{{"order_id":"1001","{field}":"2026-06-01T02:00:00","revenue":22}}]"#)
}

fn woo(field: &str) -> String {
    format!(r#"[{{"id":1001,"{field}":"2026-06-01T02:00:00","total":"22.00"}}]"#)
}

#[test]
fn the_columns_name_decides_the_zone_of_its_times() {
    let tokyo = format!("{YORK}\nordersZone=0:32400");
    for (options, source, text, expected) in [
        (
            YORK,
            "dialect=stripe",
            stripe("Created date (UTC)").as_str(),
            MAY,
        ),
        (YORK, "dialect=stripe", &stripe("Created (UTC)"), MAY),
        // As an offset in the text does, the name says more than the zone of all orders.
        (&tokyo, "dialect=stripe", &stripe("Created (UTC)"), MAY),
        (
            "",
            "dialect=stripe",
            &stripe("Created (UTC)"),
            "ambiguous_file",
        ),
        (YORK, "dialect=stripe", &stripe("Created"), AS_WRITTEN),
        (YORK, "", &csv("date"), AS_WRITTEN),
        (YORK, "", &csv("created_at_gmt"), MAY),
        (YORK, "", &csv("Date (UTC)"), MAY),
        (
            YORK,
            "column.date=When (GMT+02:00)",
            &csv("When (GMT+02:00)"),
            "2026-05-31 20:00:00",
        ),
        (YORK, "column.date=outcome", &csv("outcome"), AS_WRITTEN),
        (YORK, "column.date=date_gmt", &json("date_gmt"), MAY),
        (YORK, "", &json("date"), AS_WRITTEN),
        (
            YORK,
            "dialect=woocommerce\ncolumn.date=date_created_gmt",
            &woo("date_created_gmt"),
            MAY,
        ),
        (
            YORK,
            "dialect=woocommerce",
            &woo("date_created"),
            AS_WRITTEN,
        ),
        // The name without a zone counts where a file has both.
        (
            YORK,
            "",
            "order_id,date_gmt,date\n1001,2026-06-01 06:00:00,2026-06-01 02:00:00\n",
            AS_WRITTEN,
        ),
        // A mere day has no zone.
        (
            YORK,
            "",
            "order_id,date_gmt\n1001,2026-06-01\n",
            "2026-06-01 00:00:00",
        ),
    ] {
        assert_eq!(
            date(options, source, text),
            expected,
            "{options:?} {source} {text}"
        );
    }
}

#[test]
fn a_known_columns_name_tells_its_offset() {
    for (options, source, text, expected) in [
        (YORK, "", csv("Date (GMT-08:00)"), "2026-06-01 06:00:00"),
        (
            YORK,
            "",
            csv("Date (GMT\u{2212}08:00)"),
            "2026-06-01 06:00:00",
        ),
        (YORK, "", csv("Date (GMT+2)"), "2026-05-31 20:00:00"),
        (
            YORK,
            "",
            csv("(UTC+05:30) Created At"),
            "2026-05-31 16:30:00",
        ),
        (
            YORK,
            "dialect=stripe",
            stripe("Created (UTC-5)"),
            "2026-06-01 03:00:00",
        ),
        // The sign is lost where names are compared: the file says which one it is.
        (
            YORK,
            "column.date=When (GMT-02:00)",
            csv("When (GMT+02:00)"),
            "2026-05-31 20:00:00",
        ),
        (YORK, "", csv("Date (UTC+15)"), "unreadable_file"),
        (
            YORK,
            "column.date=When UTC+5.5",
            csv("When UTC+5.5"),
            "unreadable_file",
        ),
        (
            YORK,
            "column.date=when_gmt_offset",
            csv("when_gmt_offset"),
            AS_WRITTEN,
        ),
        (
            YORK,
            "column.date=When (UTC+1/+2)",
            csv("When (UTC+1/+2)"),
            "unreadable_file",
        ),
        (
            YORK,
            "column.date=When (-8)",
            json("When (-8)"),
            "unreadable_file",
        ),
        (
            YORK,
            "column.date=When -0800",
            csv("When -0800"),
            "2026-06-01 06:00:00",
        ),
        (YORK, "", csv("Date +02:00"), "2026-05-31 20:00:00"),
        // JSON's names are read as those of a CSV file.
        (YORK, "", json("Date (GMT-08:00)"), "2026-06-01 06:00:00"),
        (YORK, "", json("Date (GMT+02:00)"), "2026-05-31 20:00:00"),
        (YORK, "", json("utc_date"), MAY),
        (YORK, "", json("Date (UTC time)"), MAY),
        (YORK, "", json("Date (UTC+1/+2)"), "unreadable_file"),
        (
            YORK,
            "",
            json("Date (UTC+1)").replace(']', ",") + json("Date (UTC+2)").trim_start_matches('['),
            "unreadable_file",
        ),
        (YORK, "", json("date_gmt"), MAY),
        (YORK, "", json("createdAtUtc"), MAY),
        (YORK, "dialect=woocommerce", woo("date_created_gmt"), MAY),
        (
            YORK,
            "column.date=when UTC+99",
            json("when UTC+99"),
            "unreadable_file",
        ),
    ] {
        assert_eq!(date(options, source, &text), expected, "{source} {text}");
    }
}

#[test]
fn each_of_two_times_has_the_zone_of_its_own_column() {
    for (header, date, paid) in [
        ("date,paid_at", "2026-06-02 02:00:00", 1_780_365_600),
        ("date,Paid At (UTC)", "2026-06-02 02:00:00", 1_780_351_200),
        ("date_gmt,paid_at", "2026-06-01 22:00:00", 1_780_365_600),
        ("date_gmt,paid_gmt", "2026-06-01 22:00:00", 1_780_351_200),
    ] {
        let header = header.replace("paid_gmt", "date_paid_gmt");
        let text = format!("order_id,{header}\n1,2026-06-02 02:00:00,2026-06-02 02:00:00\n");
        let mut report = open(YORK);
        add(&mut report, "kind=orders", &text, 1_000).unwrap();
        reconcile(&mut report).unwrap();
        assert_eq!(rows(&mut report, "")[0]["order"]["date"], date, "{header}");
        let place = report.orders.first().unwrap();
        let own = report.orders.head(place).unwrap().seconds;
        assert_eq!(report.paid_at(place).unwrap_or(own), paid, "{header}");
    }
}
