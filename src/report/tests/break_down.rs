//! Clicks break down by dimensions, and conversions count in their click's group.

use super::*;

#[test]
fn clicks_break_down_and_conversions_count_where_their_click_does() {
    let mut report = open("");
    let clicks = r#"[
        {"click_id":"a","click_date":"2026-06-01 10:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":true,"conversion_id":100},
        {"click_id":"b","click_date":"2026-06-01 11:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":false},
        {"click_id":"c","click_date":"2026-06-02 11:00:00","affiliate_id":1,"offer_id":9,"sub_id_1":"x","ip_address":"203.0.113.1","converted":false},
        {"click_id":"d","click_date":"2026-06-02 11:00:00","affiliate_id":2,"offer_id":9,"sub_id_1":"y","ip_address":"2001:db8::1","converted":true,"conversion_id":101}]"#;
    add(&mut report, "kind=clicks", clicks, 50).unwrap();
    let conversions = format!(
        "[{},{},{}]",
        conversion(
            100,
            "A",
            "2026-06-03 10:00:00",
            "22.00",
            "18.00",
            "approved"
        ),
        conversion(102, "B", "2026-06-03 10:00:00", "22.00", "1.00", "pending"),
        conversion(102, "B", "2026-06-03 10:00:00", "22.00", "1.00", "pending"),
    );
    add(&mut report, "kind=conversions", &conversions, 1_000).unwrap();
    report.break_down("by=affiliate,subId1\nsort=epc").unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    assert_eq!(
        groups[0]["key"],
        serde_json::json!({"affiliate": "1", "subId1": "x"})
    );
    assert_eq!(groups[0]["clicks"], 3);
    assert_eq!(groups[0]["uniqueClicks"], 1);
    assert_eq!(groups[0]["epc"], "6.00");
    assert_eq!(groups[0]["medianSeconds"], 172_800);
    assert_eq!(groups[0]["statuses"], serde_json::json!({"approved": 1}));
    assert_eq!(answer["total"]["conversions"], 3);
    assert_eq!(answer["total"]["pendingPayout"], "1.00");
    report
        .break_down("by=affiliate\nunique=addressAndDay\ntop=1")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["groups"][0]["uniqueClicks"], 2);
    assert_eq!(answer["rest"]["clicks"], 1);
    report.values("by=subId1").unwrap();
    assert_eq!(
        report.answer,
        r#"[{"subId1":"x"},{"subId1":"y"},{"subId1":""}]"#
    );
    report
        .break_down("by=own\nown=subId1\nlabel=good\nlabel=good\nlabel=none")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["groups"][0]["key"]["own"], "good");
    assert_eq!(answer["groups"][0]["clicks"], 4);
    assert_eq!(answer["groups"][0]["uniqueClicks"], 2);
    report
        .attribute("model=last\nmodel=markov\nkey=address\nchannel=subId1")
        .unwrap();
    let answer: Value = serde_json::from_str(&report.answer).unwrap();
    assert_eq!(answer["journeys"], 3);
    assert_eq!(answer["payout"], "18.00");
}

/// A breakdown's total, and an attribution's payout and what it leaves out.
fn figures(report: &mut Report, options: &str) -> (Value, Value) {
    report.break_down("by=affiliate").unwrap();
    let total = serde_json::from_str::<Value>(&report.take_answer()).unwrap()["total"].take();
    let options = format!("model=last\nkey=address\nchannel=affiliate\n{options}");
    report.attribute(&options).unwrap();
    (total, serde_json::from_str(&report.take_answer()).unwrap())
}

#[test]
fn credit_is_for_money_that_counts_as_it_was_read_last_and_the_rest_is_told() {
    let mut report = open("");
    let clicks: Vec<_> = (1..=3)
        .map(|id| format!(r#"{{"click_id":"{id}","click_date":"2026-06-01 10:00:0{id}","affiliate_id":1,"ip_address":"203.0.113.{id}","conversion_id":{id}}}"#))
        .collect();
    // The third click has no address.
    let clicks = clicks.join("\n").replace(r#""203.0.113.3""#, "null");
    add(&mut report, "kind=clicks", &clicks, 50).unwrap();
    let row = |id, payout: &str, status: &str| {
        conversion(id, "", "2026-06-03 10:00:00", "22.00", payout, status)
    };
    let rows = [
        row(1, "18.00", "approved"),
        row(2, "5.00", "approved"),
        row(3, "3.00", "approved"),
        row(9, "2.00", "approved"),
        row(8, "1.00", "pending"),
        // On a later page.
        row(2, "5.00", "reversed"),
        row(9, "2.50", "approved"),
    ];
    add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
    let mut reconciled = false;
    loop {
        let (total, answer) = figures(&mut report, "");
        assert_eq!(total["payout"], "23.50");
        assert_eq!(total["conversions"], 5);
        assert_eq!(answer["payout"], "18.00");
        assert_eq!(
            answer["leftOut"],
            serde_json::json!({
                "notApproved": {"conversions": 2, "payout": "6.00"},
                "withoutJourney": {"conversions": 2, "payout": "5.50"},
            })
        );
        if reconciled {
            break;
        }
        reconcile(&mut report).unwrap();
        reconciled = true;
    }
    assert_eq!(
        figures(&mut report, "include=reversed").1["payout"],
        "23.00"
    );
    let error = report.attribute("model=position:0.9:0.9").unwrap_err();
    assert_eq!(error.code(), "invalid_field");
    assert!(report.attribute("model=position:60:60").is_err());
    report
        .attribute("model=last\njourney=1\t5.00\njourney=1\t1.00\ta\t0")
        .unwrap();
    assert!(
        report
            .take_answer()
            .contains(r#""withoutJourney":{"conversions":1,"payout":"5.00"}"#)
    );
}

#[test]
fn clicks_that_end_a_page_and_begin_the_next_one_count_once() {
    let page = |ids: core::ops::Range<u32>| {
        let rows: Vec<_> = ids.map(|id| format!(r#"{{"click_id":"k{id}"}}"#)).collect();
        format!(
            r#"{{"request_status":"Success","response":{{"clicks":[{}]}}}}"#,
            rows.join(",")
        )
    };
    let all = [
        page(0..10),
        page(9..19),
        page(19..19),
        page(15..20),
        page(20..25),
    ];
    let count = |report: &mut Report| figures(report, "").0["clicks"].as_u64().unwrap();
    let mut report = open("");
    add(&mut report, "kind=clicks", &all.join("\n"), 50).unwrap();
    assert_eq!(count(&mut report), 25);
    // Page by page, and after one that broke off.
    let mut report = open("");
    for page in &all {
        add(&mut report, "kind=clicks", page, 1_000).unwrap();
    }
    assert_eq!(count(&mut report), 25);
    assert!(add(&mut report, "kind=clicks", "{\"success\":false}", 100).is_err());
    add(&mut report, "kind=clicks", &page(25..30), 1_000).unwrap();
    assert_eq!(count(&mut report), 30);
}

#[test]
fn a_conversion_of_clicks_that_did_not_come_counts_alone() {
    let click = |id: u32| {
        format!(
            r#"{{"click_id":"{id}","click_date":"2026-06-01 10:00:00","affiliate_id":1,"conversion_id":{id}}}"#
        )
    };
    let mut report = open("");
    // The file is left after both rows.
    let both = format!("{}\n{}\n", click(7), click(8));
    report.begin("kind=clicks").unwrap();
    report.room(both.len()).unwrap();
    report.input()[..both.len()].copy_from_slice(both.as_bytes());
    report.read(both.len()).unwrap();
    assert_eq!(report.clicks.rows(), 2);
    report.cancel();
    add(&mut report, "kind=clicks", &click(8), 50).unwrap();
    let rows =
        [7, 8].map(|id| conversion(id, "", "2026-06-03 10:00:00", "22.00", "18.00", "approved"));
    add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
    report.break_down("by=affiliate").unwrap();
    let answer: Value = serde_json::from_str(&report.take_answer()).unwrap();
    assert_eq!(answer["total"]["conversions"], 2);
    assert_eq!(answer["total"]["payout"], "36.00");
    assert_eq!(answer["total"]["clicks"], 1);
}

#[test]
fn clicks_of_overlapping_files_count_once_in_any_order() {
    let page = |days: &[u32], time: &dyn Fn(u32) -> String| {
        let rows = days.iter().map(|day| {
            format!(
                r#"{{"click_id":"k{day}","click_date":"{}","affiliate_id":1}}"#,
                time(*day)
            )
        });
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    };
    let many: Vec<u32> = (1..=200).collect();
    let half: Vec<u32> = (50..=250).collect();
    for (files, expected) in [
        (&[&[1, 2, 3][..], &[2, 3, 4]][..], 4),
        (&[&[2, 3, 4], &[1, 2, 3]], 4),
        (&[&[1, 2, 3, 4], &[1, 2, 3, 4]], 4),
        (&[&[1, 2], &[2, 3, 4]], 4),
        (&[&[1, 2], &[3], &[2, 4]], 4),
        (&[&[3, 2, 1], &[4, 3, 2]], 4),
        (&[&[1, 9], &[3, 5], &[4, 5, 9]], 5),
        (&[&many, &half], 250),
        (&[&half, &many], 250),
    ] {
        for time in [
            &(|day: u32| format!("2026-06-{:02} {:02}:00:00", day % 30 + 1, day % 24))
                as &dyn Fn(u32) -> String,
            &|day: u32| format!("2026-06-01 10:{:02}:{:02}", day / 60, day % 60),
            // All in one second, and without a time.
            &|_| "2026-06-01 10:00:00".to_owned(),
            &|_| String::new(),
        ] {
            let mut report = open("");
            for (number, days) in (0..).zip(files) {
                // A file that is refused leaves no trace.
                let broken = format!("{}{{\"request_status\":\"Failed\"}}", page(days, time));
                assert!(
                    add(&mut report, "kind=clicks", &broken, 1_000).is_err(),
                    "{number}"
                );
                add(&mut report, "kind=clicks", &page(days, time), 1_000).unwrap();
            }
            let (total, _) = figures(&mut report, "");
            assert_eq!(total["clicks"], expected, "{files:?} {}", time(1));
        }
    }
}

#[test]
fn a_breakdown_and_an_attribution_never_add_two_currencies() {
    let clicks: Vec<String> = (1..=3)
        .map(|id| format!(r#"{{"click_id":"k{id}","conversion_id":{id},"click_date":"2026-06-03 10:00:00","affiliate_id":6,"offer_id":5,"ip_address":"1.1.1.{id}"}}"#))
        .collect();
    let clicks = format!("[{}]", clicks.join(","));
    let of = |options: &str, currencies: [&str; 3]| {
        let mut report = open(options);
        add(&mut report, "kind=clicks", &clicks, 500).unwrap();
        let rows: Vec<String> = (1..)
            .zip(["18.00", "2000", "7.00"])
            .zip(currencies)
            .map(|((id, payout), currency)| {
                let row = conversion(id, "", "2026-06-03 11:00:00", payout, payout, "approved");
                row.replace('{', &format!("{{\"currency\":\"{currency}\","))
            })
            .collect();
        add(
            &mut report,
            "kind=conversions",
            &format!("[{}]", rows.join(",")),
            500,
        )
        .unwrap();
        report
    };
    let sums = |report: &mut Report, currency: &str| -> Result<(String, u64, String)> {
        report.break_down(&format!("by=offer\n{currency}"))?;
        let total: Value = serde_json::from_str(&report.answer).unwrap();
        let total = &total["total"];
        let payout = total["payout"].as_str().unwrap().to_owned();
        report.attribute(&format!(
            "model=last\nkey=address\nchannel=offer\n{currency}"
        ))?;
        let credit: Value = serde_json::from_str(&report.answer).unwrap();
        Ok((
            payout,
            total["conversions"].as_u64().unwrap(),
            credit["payout"].as_str().unwrap().to_owned(),
        ))
    };
    for (options, currencies, wanted, expected) in [
        ("", ["USD", "JPY", "USD"], "", None),
        (
            "",
            ["USD", "JPY", "USD"],
            "currency=usd",
            Some(("25.00", 2)),
        ),
        (
            "",
            ["USD", "JPY", "USD"],
            "currency=JPY",
            Some(("2000.00", 1)),
        ),
        ("", ["USD", "JPY", "USD"], "currency=EUR", Some(("0.00", 0))),
        // A row without a currency is in the account's, where that is declared.
        ("", ["", "JPY", ""], "", None),
        ("currency=USD", ["", "JPY", "USD"], "", None),
        (
            "currency=USD",
            ["", "JPY", ""],
            "currency=USD",
            Some(("25.00", 2)),
        ),
        ("currency=USD", ["", "USD", "usd"], "", Some(("2025.00", 3))),
        ("", ["", "", ""], "", Some(("2025.00", 3))),
        ("", ["USD", "usd", "USD"], "", Some(("2025.00", 3))),
    ] {
        let mut report = of(options, currencies);
        match sums(&mut report, wanted) {
            Err(error) => {
                assert_eq!(
                    (error.code(), expected),
                    ("invalid_field", None),
                    "{currencies:?}"
                );
                assert!(error.to_string().contains("JPY"), "{error}");
                let error = report
                    .attribute("model=last\nkey=address\nchannel=offer")
                    .unwrap_err();
                assert_eq!(error.code(), "invalid_field");
            }
            Ok((payout, conversions, credit)) => {
                assert_eq!(
                    Some((payout.as_str(), conversions)),
                    expected,
                    "{options} {currencies:?} {wanted}"
                );
                assert_eq!(credit, payout);
            }
        }
    }
    assert!(
        of("", ["USD"; 3])
            .break_down("by=offer\ncurrency=EURO")
            .is_err()
    );
}

#[test]
fn what_is_outside_the_days_is_counted_beside_the_groups() {
    let click = |id: u32, date: &str| {
        format!(
            r#"{{"click_id":"{id}","click_date":"{date} 23:50:00","affiliate_id":1,"ip_address":"203.0.113.{id}","conversion_id":{id}}}"#
        )
    };
    let row = |id, date: &str, payout: &str, status: &str| {
        conversion(id, "", &format!("{date} 00:10:00"), "22.00", payout, status)
    };
    let clicks = [
        click(1, "2026-05-31"),
        click(2, "2026-06-01"),
        click(3, "2026-06-30"),
        // Only the clicks know these conversions.
        click(4, "2026-05-31"),
        click(5, "2026-06-02"),
    ];
    let rows = [
        // Its click is of the day before.
        row(1, "2026-06-01", "18.00", "approved"),
        row(2, "2026-06-02", "17.00", "approved"),
        // It counts where its click does.
        row(3, "2026-07-01", "16.00", "approved"),
        // Without a click their own time counts.
        row(7, "2026-05-31", "1.00", "approved"),
        row(8, "2026-07-01", "2.00", "pending"),
        row(9, "2026-06-03", "4.00", "approved"),
    ];
    let mut report = open("from=2026-06-01\nto=2026-06-30");
    add(&mut report, "kind=clicks", &clicks.join("\n"), 50).unwrap();
    add(&mut report, "kind=conversions", &rows.join("\n"), 1_000).unwrap();
    for by in [
        "affiliate",
        "affiliate,day",
        "own\nown=affiliate\nlabel=a\nlabel=b",
    ] {
        report.break_down(&format!("by={by}")).unwrap();
        let answer: Value = serde_json::from_str(&report.take_answer()).unwrap();
        assert_eq!(answer["clicksOutside"], 2, "{by}");
        let outside = serde_json::json!({"conversions": 4, "payout": "19.00"});
        assert_eq!(answer["conversionsOutside"], outside, "{by}");
        assert_eq!(answer["total"]["conversions"], 4, "{by}");
        assert_eq!(answer["total"]["payout"], "37.00", "{by}");
    }
}

#[test]
fn what_an_attribution_does_not_know_is_refused_by_its_own_name() {
    let mut report = open("");
    for (options, name) in [
        ("key=nope\nchannel=offer", "key"),
        ("key=own\nchannel=offer", "key"),
        ("key=address\nchannel=nope", "channel"),
        ("key=address\nchannel=offer\ninclude=foo", "include"),
    ] {
        let error = report.attribute(&format!("model=last\n{options}"));
        assert_eq!(error.unwrap_err().parameter(), Some(name), "{options}");
    }
    let error = report.break_down("by=nope").unwrap_err();
    assert_eq!(error.parameter(), Some("by"));
    // CAKE's words, and those that a row has.
    let row = conversion(1, "A", "2026-06-03 10:00:00", "1", "1", "Odd");
    add(&mut report, "kind=conversions", &row, 1_000).unwrap();
    for word in ["Pending", "scrubbed", "odd"] {
        let options = format!("model=last\nkey=address\nchannel=offer\ninclude={word}");
        assert!(report.attribute(&options).is_ok(), "{word}");
    }
}

#[test]
fn an_interval_holds_its_rate_or_is_absent() {
    for (conversions, has_interval) in [(0, true), (1, true), (2, true), (3, false)] {
        let mut report = open("");
        let click = |id: u32| {
            format!(
                r#"{{"click_id":"k{id}","click_date":"2026-06-01 10:00:00","affiliate_id":42}}"#
            )
        };
        add(
            &mut report,
            "kind=clicks",
            &[click(1), click(2)].join("\n"),
            100,
        )
        .unwrap();
        let sales = (0..conversions).map(|id| {
            conversion(
                id + 1,
                "A",
                "2026-06-03 10:00:00",
                "22.00",
                "18.00",
                "approved",
            )
        });
        let sales = format!("[{}]", sales.collect::<Vec<_>>().join(","));
        add(&mut report, "kind=conversions", &sales, 100).unwrap();
        report.break_down("by=affiliate").unwrap();
        let answer: Value = serde_json::from_str(&report.answer).unwrap();
        let [rate, low, high] =
            ["rate", "rateLow", "rateHigh"].map(|name| answer["total"][name].as_f64());
        assert_eq!([low.is_some(), high.is_some()], [has_interval; 2]);
        assert!(rate.is_some() && (!has_interval || low <= rate && rate <= high));
    }
}
