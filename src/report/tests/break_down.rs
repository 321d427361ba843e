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
