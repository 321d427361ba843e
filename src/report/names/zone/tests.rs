//! Which zone a name tells.

use super::*;
use crate::report::names::RowKind;

#[test]
fn a_name_tells_its_zone() {
    let zone = |name: &str| zone_of(name.as_bytes()).map(|(_, zone)| zone);
    for (name, seconds) in [
        ("Created (UTC)", 0),
        ("Created date (UTC)", 0),
        ("createddateutc", 0),
        ("date_created_gmt", 0),
        ("dateCreatedGMT", 0),
        ("UTC date", 0),
        ("utc-date", 0),
        ("Date (UTC) of sale", 0),
        ("Date (UTC) 2", 0),
        ("created_utc_2", 0),
        ("Date (UTC+0)", 0),
        ("Date (UTC\u{b1}00:00)", 0),
        ("Date [GMT+2]", 7_200),
        ("Date (GMT+02:00)", 7_200),
        ("(GMT+02:00) Date", 7_200),
        ("Date UTC (+02:00)", 7_200),
        ("Date (UTC: +2)", 7_200),
        ("DateUTC+2", 7_200),
        ("Date GMT\u{ff0b}2", 7_200),
        ("Date\u{ff08}GMT+0200\u{ff09}", 7_200),
        ("Date (UTC+14:00)", 50_400),
        ("Date (GMT+05:45)", 20_700),
        ("Date (UTC+530)", 19_800),
        ("Date (UTC -05:30)", -19_800),
        ("Date (GMT - 8)", -28_800),
        ("Date (GMT-08:00)", -28_800),
        ("Date (GMT\u{2212}08:00)", -28_800),
        ("Date (GMT\u{2013}8)", -28_800),
        ("Date (UTC\u{2011}08)", -28_800),
        ("Date (UTC\u{ff0d}8)", -28_800),
        ("Date (+02:00)", 7_200),
        ("Date (+0200)", 7_200),
        ("Date [-05:00] of sale", -18_000),
        ("Created date (Z)", 0),
        ("UTCDate", 0),
        ("GMTDate", 0),
        ("utcdate", 0),
        ("UtcDate", 0),
        ("dateUTCPaid", 0),
        ("createdUtcTime", 0),
        ("Date (Coordinated Universal Time)", 0),
        ("Date (Greenwich Mean Time)", 0),
        ("Date (Etc/UTC)", 0),
        ("date_utc_plus_2", 7_200),
        ("Date (UTC plus 2)", 7_200),
        ("date-utc-minus-05:30", -19_800),
        ("Date +02:00", 7_200),
        ("Date +0200", 7_200),
        ("Date_+02:00", 7_200),
        ("Date -0800", -28_800),
        ("Date \u{2212}08:00", -28_800),
        ("Date\u{ff08}+02:00\u{ff09}", 7_200),
        ("Date (EST, UTC-5)", -18_000),
        ("Date (PST=UTC-8)", -28_800),
        ("Date (UTC time)", 0),
        ("Date (UTC) 2026-06", 0),
        ("Date (UTC+5h30)", 19_800),
        ("Date (UTC+5H30)", 19_800),
        ("Date (GMT+05h30)", 19_800),
        ("Date (UTC-3h30)", -12_600),
        ("Date (UTC+5'30)", 19_800),
        ("Date (UTC+5\u{2019}30)", 19_800),
        ("Date UTC+5h30", 19_800),
        ("Date (+05h30)", 19_800),
        ("Date (UTC+2h)", 7_200),
        ("Date (UTC+2 hours)", 7_200),
        ("Date (UTC+2) 2", 7_200),
        ("created_at-05:00", -18_000),
        ("date-05:00", -18_000),
        ("date\u{2212}05:00", -18_000),
        ("Date \u{2013}0500", -18_000),
        ("Date Z", 0),
        ("created_at_Z", 0),
        ("Date Zulu", 0),
        ("Date (Zulu)", 0),
        ("Date (\u{ff35}\u{ff34}\u{ff23}\u{ff0b}\u{ff12})", 7_200),
        ("Date\u{ff08}\u{ff35}\u{ff34}\u{ff23}\u{ff09}", 0),
        ("Date (UTC+\u{ff12})", 7_200),
    ] {
        assert_eq!(zone(name), Some(Some(seconds)), "{name}");
    }
}

#[test]
fn an_offset_that_cannot_be_read_is_none_and_other_names_tell_no_zone() {
    let zone = |name: &str| zone_of(name.as_bytes()).map(|(_, zone)| zone);
    for name in [
        "Date (UTC+15)",
        "Date (UTC-13)",
        "Date (UTC+99)",
        "Date (UTC+2:5)",
        "Date (UTC+5.5)",
        "Date (UTC+2:60)",
        "Date (UTC 2)",
        "Date (UTC\u{b1}2)",
        "Date (UTC\u{fffd}2)",
        "Date (UTC+5 30)",
        "Date (UTC+5 1/2)",
        "Date (UTC+5\u{bd})",
        "Date (UTC+5 hours 30 min)",
        "Date (UTC+5h3)",
        "Date (UTC+5h300)",
        "Date (UTC+5:30h15)",
        "Date (UTC+5h75)",
        "Date UTC+5 30",
        "date_utc_plus_5_30",
        "Date (+5h30)",
        "date-0500",
        "date-0200",
        "Date (Etc/GMT+5)",
        "Date (GMT/BST)",
        "Date (BST/GMT)",
        "Date (+99:00)",
        "date_utc_plus_20",
        // More digits than a number holds.
        "Date (UTC+66666666666)",
        "Date (UTC-99999999999999999999)",
        "Date (UTC+5:66666666666)",
        "Date (UTC+25600)",
        "Date (UTC+4294967298)",
        "date_utc_plus_66666666666",
        // Two offsets, or half of one.
        "Date (UTC+1/+2)",
        "Date (UTC+1/2)",
        "Date (UTC+01:00/+02:00)",
        "Date (GMT+1/GMT+2)",
        "Date (UTC+1|+2)",
        "Date (UTC+1 or +2)",
        "Date (UTC+1, summer +2)",
        "Date (UTC-8/-7)",
        "Date (UTC+1) (UTC+2)",
        "Date (UTC) (EST)",
        "Date (UTC) / Date (EST)",
        "Date (UTC) +02:00",
        "Date (-8/-7)",
        "Date (+01:00/+02:00)",
        "Date (+2)",
        "Date (-5)",
        "Date (-08)",
        "Date +2",
    ] {
        assert_eq!(zone(name), Some(None), "{name}");
    }
    for name in [
        "outcome_date",
        "Date",
        "",
        "when_gmt_offset",
        "UTC offset",
        "gmtx",
        "Date (non-UTC)",
        "date_not_utc",
        "Date (2026)",
        "Date (+5 more)",
        "date-2026",
        "date-0630-1",
        "date-0626",
        "date_z",
        "DATEZ",
        "Z",
        "Date -0626",
        "Date -2",
        "2026-06 Date",
        "order-date",
        "Date (zone)",
        "OUTCOME",
        "utcome",
    ] {
        assert_eq!(zone(name), None, "{name}");
    }
}

#[test]
fn a_column_is_known_without_its_zone() {
    let names = Names::of(RowKind::Orders, "simple").unwrap();
    let role = |name: &str| names.find_column(name.as_bytes()).map(|(role, _)| role);
    assert_eq!(role("Paid At (UTC)"), Some(Role::Paid as u8));
    assert_eq!(role("UTC date"), Some(Role::Date as u8));
    assert_eq!(role("created_at_gmt"), Some(Role::Date as u8));
    assert_eq!(role("Order ID (UTC)"), None);
    assert_eq!(role("Date (GMT-08:00)"), Some(Role::Date as u8));
    assert_eq!(role("Date (UTC+15)"), Some(Role::Date as u8));
    let zones_at = |rank| zones(|role| names.name(role, rank));
    assert_eq!(zones_at(0), Ok([None, None]));
    assert_eq!(zones_at(NAMED), Ok([Some(0), Some(0)]));
}
