//! Every row is in exactly one class, and no cent is lost.

use super::*;

/// One generated row: key, day, revenue in cents, status.
type Made = (u8, u8, u16, u8);

fn made_orders(rows: &[Made]) -> String {
    let mut text = "unique_id,date,revenue,status\n".to_owned();
    for (key, day, cents, status) in rows {
        let id = if *key == 0 {
            String::new()
        } else {
            format!("K{key}")
        };
        let revenue = if *cents % 17 == 0 {
            "bad".to_owned()
        } else {
            format!("{}.{:02}", cents / 100, cents % 100)
        };
        let status = ["approved", "pending", "rejected"][usize::from(status % 3)];
        text.push_str(&format!(
            "{id},2026-06-{:02} 10:00:00,{revenue},{status}\n",
            day % 30 + 1
        ));
    }
    text
}

fn made_conversions(rows: &[Made], order: &[usize]) -> String {
    let lines: Vec<String> = order
        .iter()
        .map(|&index| {
            let (key, day, cents, status) = rows[index];
            let id = if key == 0 {
                String::new()
            } else {
                format!("K{key}")
            };
            let status = ["approved", "pending", "rejected"][usize::from(status % 3)];
            // The same minute of every day: another test covers the clocks.
            conversion(
                u32::try_from(index).unwrap() + 1,
                &id,
                &format!("2026-06-{:02} 10:00:00", day % 30 + 1),
                &format!("{}.{:02}", cents / 100, cents % 100),
                "1.00",
                status,
            )
        })
        .collect();
    format!("[{}]", lines.join(","))
}

/// The class and content of every row, and the sums of both sides.
fn summary(report: &mut Report) -> (Vec<String>, Vec<i128>) {
    let result = reconcile(report).unwrap();
    let mut lines: Vec<String> = rows(report, "")
        .iter()
        .map(|row| {
            let show = |side: &str| {
                let side = &row[side];
                format!(
                    "{}|{}|{}|{}|{}",
                    side["uniqueId"],
                    side["date"],
                    side["revenue"],
                    side["status"],
                    side["conversionId"]
                )
            };
            format!(
                "{} {} {} {} {}",
                row["class"],
                row["reasons"],
                show("order"),
                show("conversion"),
                row["unreadable"]["text"]
            )
        })
        .collect();
    lines.sort();
    let units = |text: &Value| {
        let text = text.as_str().unwrap().replace('.', "");
        text.parse::<i128>().unwrap()
    };
    let mut sums = vec![0; 4];
    for sum in result["classes"].as_array().unwrap() {
        sums[0] += i128::from(sum["orders"].as_u64().unwrap());
        sums[1] += i128::from(sum["conversions"].as_u64().unwrap());
        sums[2] += units(&sum["orderRevenue"]);
        sums[3] += units(&sum["revenue"]);
    }
    sums.push(i128::from(result["unreadable"].as_u64().unwrap()));
    (lines, sums)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_was_reconciled_or_stopped_before_leaves_no_trace(rows_made in prop::collection::vec((0_u8..40, 0_u8..2, 0_u16..400, 0_u8..3), 1..60), half in 0_usize..60, steps in 0_usize..700) {
        let half = half.min(rows_made.len());
        let (first, second) = rows_made.split_at(half);
        let order: Vec<usize> = (0..rows_made.len()).collect();
        let events = "unique_id,state\nK3,pending\nK4,delivered\n";
        let options = "keys=uniqueId,orderId";
        let read = |report: &mut Report, rows: &[Made]| {
            add(report, "kind=orders\ndecimal=.", &made_orders(rows), 100).unwrap();
        };
        let mut fresh = open(options);
        read(&mut fresh, first);
        read(&mut fresh, second);
        add(&mut fresh, "kind=deliveries", events, 100).unwrap();
        add(&mut fresh, "kind=conversions", &made_conversions(&rows_made, &order), 100).unwrap();
        let mut used = open(options);
        read(&mut used, first);
        add(&mut used, "kind=deliveries", events, 100).unwrap();
        add(&mut used, "kind=conversions", &made_conversions(&rows_made, &order), 100).unwrap();
        for _ in 0..steps {
            if used.step().unwrap() >= 1.0 {
                break;
            }
        }
        used.stop();
        prop_assert!(add(&mut used, "kind=orders\ndecimal=.", "unique_id,date,revenue,status\nK1,2026-06-01,1.00,unheard\n", 100).is_err());
        read(&mut used, second);
        let expected = summary(&mut fresh);
        prop_assert_eq!(summary(&mut used), expected.clone());
        prop_assert_eq!(summary(&mut used), expected);
    }

    /// Each row has one class, sums are conserved, the order of rows does not matter, and the parts add up to the
    /// whole.
    #[test]
    fn rows_and_sums_are_conserved(
        orders in proptest::collection::vec((0_u8..12, any::<u8>(), 1_u16..3_000, any::<u8>()), 1..40),
        conversions in proptest::collection::vec((0_u8..12, any::<u8>(), 1_u16..3_000, any::<u8>()), 0..40),
        seed in any::<u32>(),
        turn in any::<prop::sample::Index>(),
    ) {
        let whole = |options: &str, orders: &[Made], order: &[usize]| {
            let mut report = Report::open(&format!("seed={seed}\nfrom=2026-06-05\nto=2026-06-25\nkeys=uniqueId\n{options}")).unwrap();
            add(&mut report, "kind=orders", &made_orders(orders), 64).unwrap();
            add(&mut report, "kind=conversions", &made_conversions(&conversions, order), 64).unwrap();
            summary(&mut report)
        };
        let order: Vec<usize> = (0..conversions.len()).collect();
        let (lines, sums) = whole("", &orders, &order);
        let good: Vec<_> = orders.iter().filter(|row| row.2 % 17 != 0).collect();
        prop_assert_eq!(sums[0], good.len() as i128);
        prop_assert_eq!(sums[1], conversions.len() as i128);
        prop_assert_eq!(sums[2], good.iter().map(|row| i128::from(row.2)).sum::<i128>());
        prop_assert_eq!(sums[3], conversions.iter().map(|row| i128::from(row.2)).sum::<i128>());
        prop_assert_eq!(sums[4], (orders.len() - good.len()) as i128);
        // Another order of rows.
        let mut turned = orders.clone();
        turned.rotate_left(turn.index(orders.len()));
        let mut reversed = order.clone();
        reversed.reverse();
        prop_assert_eq!(&whole("", &turned, &reversed), &(lines.clone(), sums.clone()));
        // In parts.
        let mut all = Vec::new();
        let mut added = vec![0; 5];
        for part in 1..=3 {
            let (lines, sums) = whole(&format!("part={part}/3"), &orders, &order);
            all.extend(lines);
            for (sum, more) in added.iter_mut().zip(&sums) { *sum += more; }
        }
        all.sort();
        prop_assert_eq!(all, lines);
        prop_assert_eq!(added, sums);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// The same where rows share clicks and order numbers, name offers or not, and come with refunds.
    #[test]
    fn rows_that_share_weaker_keys_are_conserved_in_any_order(
        orders in proptest::collection::vec((0_u8..4, 0_u8..3, 0_u8..3, 0_u8..3, -3_i8..9), 1..24),
        conversions in proptest::collection::vec((0_u8..4, 0_u8..3, 0_u8..3, 0_u8..3, 0_i8..9), 0..24),
        turn in any::<prop::sample::Index>(),
        keys in prop_oneof![Just("uniqueId,orderId,clickId"), Just("orderId,clickId"), Just("clickId")],
    ) {
        let name = |letter: &str, number: u8| if number == 0 { String::new() } else { format!("{letter}{number}") };
        let summed = |orders: &[(u8, u8, u8, u8, i8)], conversions: &[(u8, u8, u8, u8, i8)]| {
            let mut report = open(&format!("keys={keys}"));
            let mut text = "unique_id,order_id,click_id,offer_id,revenue\n".to_owned();
            for &(unique, order, click, offer, revenue) in orders {
                text.push_str(&format!("{},{},{},{},{revenue}.00\n", name("u", unique), name("o", order), name("c", click), name("", offer)));
            }
            add(&mut report, "kind=orders", &text, 64).unwrap();
            let rows: Vec<_> = conversions.iter().map(|&(unique, order, click, offer, revenue)| format!(
                r#"{{"unique_id":"{}","order_id":"{}","click_id":"{}","offer_id":"{offer}","revenue":{revenue}.00}}"#,
                name("u", unique), name("o", order), name("c", click),
            )).collect();
            add(&mut report, "kind=conversions", &format!("[{}]", rows.join(",")), 64).unwrap();
            let (mut lines, sums) = summary(&mut report);
            // What is written does not depend on the order of rows either.
            for file in ["reject=duplicate_conversion,unknown_to_advertiser", "file=upload"] {
                let mut written = super::pairs::corrections(&mut report, file);
                written.sort();
                lines.extend(written);
            }
            (lines, sums)
        };
        let (lines, sums) = summed(&orders, &conversions);
        prop_assert_eq!(sums[0], orders.len() as i128);
        prop_assert_eq!(sums[1], conversions.len() as i128);
        prop_assert_eq!(sums[2], orders.iter().map(|row| i128::from(row.4) * 100).sum::<i128>());
        prop_assert_eq!(sums[3], conversions.iter().map(|row| i128::from(row.4) * 100).sum::<i128>());
        let (mut orders, mut conversions) = (orders, conversions);
        let count = orders.len();
        orders.rotate_left(turn.index(count));
        conversions.reverse();
        prop_assert_eq!(summed(&orders, &conversions), (lines, sums));
    }
}
