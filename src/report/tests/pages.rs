//! Pages that say that they are not all of a list, or that something failed, on every side and at every number of rows.

use super::*;

/// A row of a side.
fn row_of(kind: &str, id: u32) -> String {
    match kind {
        "orders" => format!(
            r#"{{"order_id":"{id}","date":"2026-06-01T10:00:00","revenue":"22.00","status":"approved","click_id":"c{id}"}}"#
        ),
        "deliveries" => format!(r#"{{"unique_id":"{id}","state":"delivered","click_id":"c{id}"}}"#),
        "clicks" => {
            format!(r#"{{"click_id":"{id}","click_date":"2026-06-01 10:00:0{id}","offer_id":7}}"#)
        }
        _ => format!(
            r#"{{"conversion_id":{id},"conversion_date":"2026-06-01 10:00:05","order_id":"{id}"}}"#
        ),
    }
}

/// Reads files of one side, and asks what needs all of their rows.
fn ask(kind: &str, files: &[String]) -> Result<()> {
    let mut report = open("");
    for file in files {
        for piece in [7, 10_000] {
            report.begin(&format!("kind={kind}"))?;
            let mut outcome = Ok(());
            for chunk in file.as_bytes().chunks(piece) {
                let at = report.room(chunk.len())?;
                report.input()[at..at + chunk.len()].copy_from_slice(chunk);
                outcome = report.read(chunk.len());
                if outcome.is_err() {
                    break;
                }
            }
            if piece == 7 {
                report.cancel();
            } else {
                outcome?;
                report.end()?;
            }
        }
    }
    if kind == "clicks" {
        report.break_down("by=offer")?;
        return report.attribute("model=last\nkey=address\nchannel=affiliate");
    }
    reconcile(&mut report).map(|_| ())
}

const SIDES: [&str; 4] = ["orders", "conversions", "clicks", "deliveries"];

/// How pages of shops and networks say that there is more: `ROWS` is the list.
const NOT_WHOLE: &[&str] = &[
    // CAKE, an affiliate network, and shops.
    r#"{"success":true,"row_count":300,"data":ROWS}"#,
    r#"{"d":{"row_count":"300","data":ROWS}}"#,
    r#"{"request_status":"Success","response":{"total_rows":300,"data":{"conversions":ROWS}}}"#,
    r#"{"conversions":ROWS,"paging":{"page":1,"page_size":1,"total_count":300}}"#,
    r#"{"status":1,"conversions":ROWS,"pagination":{"per_page":1,"total_count":300,"page":1}}"#,
    r#"{"data":ROWS,"meta":{"pagination":{"total":300,"count":1,"per_page":1,"current_page":1,"total_pages":300,"links":{"next":"?page=2","current":"?page=1"}}}}"#,
    r#"{"data":ROWS,"meta":{"pagination":{"total_pages":300,"current_page":1}}}"#,
    r#"{"data":ROWS,"meta":{"pagination":{"links":{"next":"?page=2"}}}}"#,
    r#"{"orders":ROWS,"cursor":"abc"}"#,
    r#"{"limit":1,"offset":0,"count":1,"total":300,"results":ROWS}"#,
    r#"{"orders":ROWS,"count":300,"offset":0,"limit":1}"#,
    r#"{"total":300,"data":ROWS,"aggregations":[]}"#,
    r#"{"orders":ROWS,"total_count":300}"#,
    r#"{"results":ROWS,"totalCount":300}"#,
    r#"{"data":ROWS,"recordsTotal":900,"recordsFiltered":300,"draw":1}"#,
    r#"{"data":ROWS,"last_page":300,"current_page":1}"#,
    r#"{"data":ROWS,"totalPages":300,"last":false,"number":0,"size":1}"#,
    r#"{"data":ROWS,"last":false}"#,
    r#"{"data":ROWS,"done":false}"#,
    r#"{"rows":ROWS,"totalRows":1,"truncated":true}"#,
    r#"{"data":ROWS,"links":[{"rel":"self","href":"/1"},{"rel":"next","href":"/2"}]}"#,
    r#"{"data":ROWS,"_links":{"self":{"href":"/1"},"next":{"href":"/2"}}}"#,
    r#"{"results":ROWS,"paging":{"next":{"after":"2","link":"/2"}}}"#,
    r#"{"data":ROWS,"paging":{"cursors":{"before":"a","after":"b"},"next":"/2"}}"#,
    r#"{"orders":ROWS,"pagingMetadata":{"count":1,"cursors":{"next":"x"},"hasNext":true}}"#,
    r#"{"orders":ROWS,"hasMore":true}"#,
    r#"{"response":{"orders":ROWS,"more":true,"next_cursor":""}}"#,
    r#"{"orders":ROWS,"nextPageToken":"x"}"#,
    r#"{"data":{"orders":ROWS,"pageInfo":{"hasNextPage":true,"endCursor":"x"}}}"#,
    r#"{"data":{"orders":{"nodes":ROWS,"pageInfo":{"hasNextPage":true,"endCursor":"x"}}}}"#,
    r#"{"@nextpageuri":"/2","@numpages":"300","Data":ROWS}"#,
];

/// How pages say that something failed.
const FAILED: &[&str] = &[
    r#"{"data":ROWS,"errors":[{"message":"Throttled"}]}"#,
    r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"data":{"orders":ROWS}}"#,
    r#"{"data":ROWS,"errors":"rate limited"}"#,
    r#"{"data":ROWS,"errors":["rate limited"]}"#,
    r#"{"error":{"code":429},"data":ROWS}"#,
    r#"{"error":{"message":"too many"},"data":ROWS}"#,
    r#"{"data":ROWS,"error":true}"#,
    r#"{"data":ROWS,"error_message":"not now"}"#,
    r#"{"data":ROWS,"error_code":17}"#,
    r#"{"success":false,"data":ROWS}"#,
    r#"{"ok":false,"data":ROWS}"#,
    r#"{"status":"error","data":ROWS}"#,
    r#"{"status":429,"data":ROWS}"#,
    r#"{"meta":{"code":500},"data":ROWS}"#,
    r#"{"request_status":"Error","response":{"data":{"conversions":ROWS}}}"#,
    r#"[{"orders":ROWS,"errors":["not now"]}]"#,
];

/// Whole lists, as their programs write them, of one row.
const WHOLE: &[&str] = &[
    r#"{"success":true,"row_count":1,"data":ROWS}"#,
    r#"{"object":"list","has_more":false,"url":"/v1/charges","data":ROWS}"#,
    r#"{"data":ROWS,"meta":{"pagination":{"total":1,"count":1,"per_page":50,"current_page":1,"total_pages":1,"links":{"current":"?page=1"}}}}"#,
    r#"{"orders":ROWS}"#,
    r#"{"limit":20,"offset":0,"count":1,"total":1,"results":ROWS}"#,
    r#"{"count":1,"next":null,"previous":null,"results":ROWS}"#,
    r#"{"total":1,"data":ROWS,"aggregations":[]}"#,
    r#"{"data":ROWS,"recordsTotal":900,"recordsFiltered":1,"draw":1}"#,
    r#"{"data":ROWS,"meta":{"total_count":900,"filter_count":1}}"#,
    r#"{"data":ROWS,"totalPages":1,"totalElements":1,"last":true,"number":0,"size":20}"#,
    r#"{"data":ROWS,"links":{"first":"/1","last":"/1","prev":null,"next":null},"meta":{"last_page":1,"total":1}}"#,
    r#"{"data":ROWS,"_links":{"self":{"href":"/1"},"next":null}}"#,
    r#"{"data":ROWS,"links":[{"rel":"self","href":"/1"},{"rel":"last","href":"/1"}]}"#,
    // A further page is named where there is none, and a field says so.
    r#"{"data":ROWS,"meta":{"pagination":{"next":"/2?after=x","has_more":false,"estimated_total":1}}}"#,
    r#"{"data":{"orders":ROWS,"pageInfo":{"hasNextPage":false,"endCursor":"x"}}}"#,
    r#"{"data":{"orders":{"pageInfo":{"hasNextPage":false},"nodes":ROWS}},"extensions":{"cost":{"actualQueryCost":3}}}"#,
    r#"{"cursor":"x","has_more":false,"data":ROWS}"#,
    r#"{"error":null,"errors":[],"count":null,"status":200,"statusText":"OK","data":ROWS}"#,
    r#"{"error":"","message":"","response":{"more":false,"next_cursor":"","orders":ROWS}}"#,
    r#"{"data":ROWS,"error":{"code":"ok","message":"","log_id":"202"}}"#,
    r#"{"data":ROWS,"error":{"code":0,"message":"success"}}"#,
    r#"{"response":{"status":1,"httpStatus":200,"data":{"page":1,"count":1,"pageCount":1,"data":ROWS},"errors":{},"errorMessage":""}}"#,
    r#"{"code":0,"message":"Success","data":ROWS}"#,
    r#"{"status":"paid","data":ROWS,"summary":{"total":220,"count":90,"errors":3}}"#,
    r#"{"data":ROWS,"total":"220.00"}"#,
    r#"{"shop":{"orders_count":5000,"plan":{"next":"x"}},"data":ROWS}"#,
];

#[test]
fn a_page_that_says_that_its_list_has_more_is_not_all_of_it_on_any_side() {
    for kind in SIDES {
        for page in NOT_WHOLE {
            for rows in [String::new(), row_of(kind, 1)] {
                let file = page.replace("ROWS", &format!("[{rows}]"));
                // The list of a page of clicks or conversions is named after its side.
                let file = file.replace("\"conversions\":[", &format!("\"{}\":[", list_of(kind)));
                let error = ask(kind, std::slice::from_ref(&file)).expect_err(&file);
                assert_eq!(error.code(), "unreadable_file", "{kind} {file}");
            }
        }
    }
}

fn list_of(kind: &str) -> &str {
    if kind == "clicks" || kind == "conversions" {
        kind
    } else {
        "data"
    }
}

#[test]
fn a_page_that_says_that_something_failed_is_none_on_any_side() {
    for kind in SIDES {
        for page in FAILED {
            for rows in [String::new(), row_of(kind, 1)] {
                let file = page.replace("ROWS", &format!("[{rows}]"));
                let file = file.replace("\"conversions\":[", &format!("\"{}\":[", list_of(kind)));
                let error = ask(kind, std::slice::from_ref(&file)).expect_err(&file);
                assert!(error.to_string().contains("failure"), "{file}: {error}");
            }
        }
    }
}

#[test]
fn a_whole_list_is_read_however_its_program_writes_it() {
    for kind in SIDES {
        for page in WHOLE {
            let file = page.replace("ROWS", &format!("[{}]", row_of(kind, 1)));
            let outcome = ask(kind, std::slice::from_ref(&file));
            assert!(outcome.is_ok(), "{kind} {file}: {outcome:?}");
        }
    }
}

#[test]
fn what_several_pages_fulfil_together_is_a_whole_list() {
    let page = |what: &str, id: u32| format!(r#"{{"orders":[{}]{what}}}"#, row_of("orders", id));
    let empty = r#"{"success":true,"row_count":3,"orders":[]}"#.to_owned();
    for (files, is_whole) in [
        // The last page names none.
        (vec![page(r#","cursor":"x""#, 1), page("", 2)], true),
        (vec![page(r#","cursor":"x""#, 1) + &page("", 2)], true),
        (
            vec![format!("[{},{}]", page(r#","cursor":"x""#, 1), page("", 2))],
            true,
        ),
        (
            vec![page(r#","cursor":"x""#, 1), page(r#","cursor":"y""#, 2)],
            false,
        ),
        (
            vec![
                page(r#","total_pages":2"#, 1),
                page(r#","total_pages":2"#, 2),
            ],
            true,
        ),
        (
            vec![
                page(r#","total_pages":3"#, 1),
                page(r#","total_pages":3"#, 2),
            ],
            false,
        ),
        (
            vec![page(r#","count":2"#, 1), page(r#","count":2"#, 2)],
            true,
        ),
        (
            vec![page(r#","count":1"#, 1), page(r#","count":1"#, 2)],
            true,
        ),
        (
            vec![
                page(r#","total":3,"count":1"#, 1),
                page(r#","total":3,"count":1"#, 2),
            ],
            false,
        ),
        // An empty page ends a list that counts more rows than it shows; alone it shows nothing.
        (vec![page(r#","row_count":3"#, 1), empty.clone()], true),
        (vec![empty.clone()], false),
        (vec![empty.clone(), empty], false),
        (
            vec![r#"{"success":true,"row_count":0,"orders":[]}"#.to_owned()],
            true,
        ),
    ] {
        let outcome = ask("orders", &files);
        assert_eq!(outcome.is_ok(), is_whole, "{files:?}: {outcome:?}");
    }
}

#[test]
fn a_page_whose_list_has_a_name_that_is_not_known_is_no_row() {
    let row = row_of("orders", 1);
    let items = r#"[{"id":"L1","price":"5.00"}]"#;
    for (file, is_read) in [
        (
            format!(r#"{{"content":[{row}],"totalPages":1,"last":true,"number":0,"size":1}}"#),
            false,
        ),
        (
            format!(r#"{{"total":1,"count":1,"offset":0,"limit":1,"items":[{row}]}}"#),
            false,
        ),
        (
            format!(r#"{{"meta":[{{"name":"x"}}],"total":1,"items":[{row}]}}"#),
            false,
        ),
        // An order has a list of its items.
        (
            format!(r#"{{"id":"1","status":"paid","items":{items}}}"#),
            true,
        ),
        (
            format!(r#"{{"id":"1","total":"5.00","count":1,"items":{items}}}"#),
            true,
        ),
        (
            format!("{row}\n{{\"status\":\"approved\",\"items\":{items}}}"),
            true,
        ),
    ] {
        let outcome = add(&mut open("status.paid=approved"), "kind=orders", &file, 9);
        assert_eq!(outcome.is_ok(), is_read, "{file}: {outcome:?}");
    }
}

#[test]
fn rows_are_found_in_the_nodes_and_edges_of_graphql() {
    let row = row_of("orders", 1);
    let more = row_of("orders", 2);
    let node = |row: &str| format!(r#"{{"cursor":"x","node":{row}}}"#);
    let edges = format!(r#""edges":[{},{}]"#, node(&row), node(&more));
    let nodes = format!(r#""nodes":[{row},{more}]"#);
    for list in [&edges, &nodes] {
        for file in [
            format!(r#"{{"data":{{"orders":{{{list},"pageInfo":{{"hasNextPage":false}}}}}}}}"#),
            format!(r#"{{"orders":{{"pageInfo":{{"hasNextPage":false}},{list}}}}}"#),
            format!("{{{list}}}"),
            format!(r#"[{{"data":{{"orders":{{{list}}}}}}}]"#),
            format!(r#"{{"customer":{{"orders":{{{list}}}}}}}"#),
            format!(
                r#"{{"data":{{"customer":{{"id":"gid://shopify/Customer/7","orders":{{{list},"pageInfo":{{"hasNextPage":false}}}}}}}}}}"#
            ),
            format!(r#"{{"data":{{"company":{{"contact":{{"orders":{{{list}}}}}}}}}}}"#),
            list.split_once(':').unwrap().1.to_owned(),
        ] {
            for piece in [7, 10_000] {
                let mut report = open("");
                add(&mut report, "kind=orders", &file, piece).unwrap();
                assert_eq!(report.orders.rows(), 2, "{file}");
                assert_eq!(report.orders.text(0, UNIQUE_ID), b"1", "{file}");
            }
        }
    }
    // One page of several says so at any depth.
    let further = format!(
        r#"{{"data":{{"customer":{{"orders":{{{nodes},"pageInfo":{{"hasNextPage":true}}}}}}}}}}"#
    );
    let mut report = open("");
    add(&mut report, "kind=orders", &further, 9).unwrap();
    assert!(reconcile(&mut report).is_err());
    // Another list of rows is not left out.
    let other =
        format!(r#"{{"data":{{"customer":{{"orders":{{{nodes}}},"drafts":{{{nodes}}}}}}}}}"#);
    assert!(add(&mut open(""), "kind=orders", &other, 9).is_err());
    // A row's own lists have these names, too.
    let items = r#""lineItems":{"nodes":[{"id":"L1","price":"5.00"}]},"#;
    let refunds = r#""transactions":{"edges":[{"node":{"id":"T1","amount":"5.00"}}]},"#;
    for lists in [items, refunds] {
        let row = row.replacen('{', &format!("{{{lists}"), 1);
        for file in [
            row.clone(),
            format!("[{row}]"),
            format!(r#"{{"orders":[{row}]}}"#),
        ] {
            let mut report = open("");
            add(&mut report, "kind=orders", &file, 9).unwrap();
            assert_eq!(report.orders.rows(), 1, "{file}");
            assert_eq!(report.orders.text(0, UNIQUE_ID), b"1", "{file}");
        }
    }
}

#[test]
fn rows_of_shopifys_bulk_operations_that_are_parts_of_an_order_are_none() {
    let order = |more: &str| {
        format!(
            r#"{{"id":"gid://shopify/Order/5001","name":"1001","createdAt":"2026-06-01T10:00:00Z","total":"22.00"{more}}}"#
        )
    };
    let part = |id: &str, parent: &str| {
        format!(r#"{{{id}"name":"Shirt - S","quantity":1,"__parentId":"gid://shopify/{parent}"}}"#)
    };
    let id = |kind: &str| format!(r#""id":"gid://shopify/{kind}/17","#);
    for dialect in ["dialect=shopify", ""] {
        // Each row after the order, and how many line items and unreadable rows there are.
        for (row, line_items, unreadable) in [
            (part(&id("LineItem"), "Order/5001"), 1, 0),
            (part("", "Order/5001"), 1, 0),
            (part(&id("FulfillmentLineItem"), "Fulfillment/9"), 1, 0),
            (part(&id("OrderTransaction"), "Refund/9"), 1, 0),
            // A refund says something of money.
            (part(&id("Refund"), "Return/9"), 0, 1),
            (
                r#"{"id":"gid://shopify/DraftOrder/7","total":"22.00"}"#.to_owned(),
                0,
                1,
            ),
            (
                r#"{"id":"gid://shopify/Customer/7","__parentId":null}"#.to_owned(),
                0,
                1,
            ),
        ] {
            let mut report = open("zone=0:0");
            let text = format!("{}\n{row}\n{row}\n", order(""));
            let options = format!("kind=orders\n{dialect}");
            add(&mut report, &options, &text, 9).unwrap();
            report.understood();
            let understood: Value = serde_json::from_str(&report.answer).unwrap();
            assert_eq!(understood[0]["rows"], 1, "{text}");
            assert_eq!(understood[0]["lineItems"], 2 * line_items, "{text}");
            assert_eq!(understood[0]["unreadable"], 2 * unreadable, "{text}");
        }
        // Orders of customers are orders.
        let mut report = open("zone=0:0");
        let text = order(r#","__parentId":"gid://shopify/Customer/7""#);
        add(&mut report, &format!("kind=orders\n{dialect}"), &text, 9).unwrap();
        assert_eq!(report.orders.rows(), 1);
        assert_eq!(report.orders.text(0, UNIQUE_ID), b"5001");
    }
    // CAKE may have such an id, too.
    let mut report = open("");
    let conversion = r#"[{"conversion_id":1,"unique_id":"gid://shopify/OrderIdentity/5001"}]"#;
    add(&mut report, "kind=conversions", conversion, 9).unwrap();
    assert_eq!(report.conversions.text(0, UNIQUE_ID), b"5001");
}

#[test]
fn a_time_may_have_any_blank_before_its_half_of_the_day() {
    for (blank, encoding) in [
        (&b" "[..], ""),
        ("\u{202F}".as_bytes(), ""),
        ("\u{A0}".as_bytes(), ""),
        ("\u{2009}".as_bytes(), ""),
        (&b"\xA0"[..], "windows-1252"),
    ] {
        let mut text = b"order_id,date,revenue\n1,\"6/1/2026, 1:05".to_vec();
        text.extend(blank);
        text.extend(b"PM\",1.00\n");
        let mut report = open("");
        let encoding = if encoding.is_empty() {
            String::new()
        } else {
            format!("\nencoding={encoding}")
        };
        report
            .begin(&format!("kind=orders\ndates=MM/DD/YYYY{encoding}"))
            .unwrap();
        let at = report.room(text.len()).unwrap();
        report.input()[at..at + text.len()].copy_from_slice(&text);
        report.read(text.len()).unwrap();
        report.end().unwrap();
        add(&mut report, "kind=conversions", "[]", 9).unwrap();
        reconcile(&mut report).unwrap();
        let listed = rows(&mut report, "");
        assert_eq!(
            listed[0]["order"]["date"], "2026-06-01 13:05:00",
            "{listed:?}"
        );
    }
}
