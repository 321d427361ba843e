//! A breakdown as JSON text: the values of each group, and its figures.

use super::groups::{Dimension, Figures, Grouping, Own, Question, WEEKDAYS};
use super::{ADDRESS, AFFILIATE, FIRST_IPV4, OFFER};
use crate::report::memory::sort_numbers;
use crate::report::out::Writer;
use crate::report::stats::{quantile, wilson};
use crate::report::{Report, amount, day};

impl Report {
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn write_values(
        &self,
        writer: &mut Writer,
        grouping: &Grouping,
        own: &Own,
        number: u32,
    ) {
        let mut own_dimension = "own".to_owned();
        for (dimension, value) in grouping.dimensions.iter().zip(grouping.values(number)) {
            let mut text = String::new();
            let bytes: &[u8] = match dimension {
                Dimension::Column(OFFER) => self.offers.text(value),
                Dimension::Column(AFFILIATE) => self.affiliates.text(value),
                Dimension::Column(ADDRESS) if value >= FIRST_IPV4 => {
                    for (index, byte) in value.to_be_bytes().into_iter().enumerate() {
                        if index > 0 {
                            text.push('.');
                        }
                        amount::write_digits(&mut text, u64::from(byte), 1);
                    }
                    text.as_bytes()
                }
                Dimension::Column(column) => self
                    .clicks
                    .words
                    .get(*column)
                    .map_or(&[][..], |words| words.text(value)),
                Dimension::Own => own.words.text(value),
                _ if value == 0 => b"",
                Dimension::Day => {
                    day::write_day(&mut text, u64::from(value - 1));
                    text.as_bytes()
                }
                Dimension::Hour => {
                    amount::write_digits(&mut text, u64::from(value - 1), 2);
                    text.as_bytes()
                }
                Dimension::Weekday => WEEKDAYS
                    .get(value as usize - 1)
                    .map_or(&[][..], |day| day.as_bytes()),
            };
            let name = match dimension {
                Dimension::Column(OFFER) => "offer",
                Dimension::Column(AFFILIATE) => "affiliate",
                Dimension::Column(2) => "subId1",
                Dimension::Column(3) => "subId2",
                Dimension::Column(4) => "subId3",
                Dimension::Column(5) => "subId4",
                Dimension::Column(6) => "subId5",
                Dimension::Column(7) => "country",
                Dimension::Column(_) => "address",
                Dimension::Day => "day",
                Dimension::Hour => "hour",
                Dimension::Weekday => "weekday",
                Dimension::Own => own_dimension.as_str(),
            };
            writer.key(name);
            writer.string(bytes);
        }
        own_dimension.clear();
    }

    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn write_breakdown(
        &self,
        question: &Question,
        grouping: &Grouping,
        own: &Own,
        figures: &[Figures],
        times: &[u32],
        outside: u64,
    ) -> String {
        let mut total = Figures::default();
        for figures in figures {
            total.add(figures);
        }
        // Groups without any row inside the window are left out.
        let mut order: Vec<u32> = (0_u32..)
            .zip(figures)
            .filter(|(_, figures)| figures.clicks + figures.conversions > 0)
            .map(|(number, _)| number)
            .collect();
        let label = |number: u32| {
            let mut writer = Writer::default();
            self.write_values(&mut writer, grouping, own, number);
            writer.text
        };
        let rank = |number: u32| -> (i128, u64) {
            let Some(figures) = figures.get(number as usize) else {
                return (0, 0);
            };
            let first = match question.sort.as_str() {
                "key" => 0,
                "uniqueClicks" => i128::from(figures.unique),
                "conversions" => i128::from(figures.conversions),
                "rate" => {
                    (i128::from(figures.conversions) << 40) / i128::from(figures.clicks.max(1))
                }
                "payout" => figures.payout,
                "revenue" => figures.revenue,
                "margin" => figures.revenue - figures.payout,
                "epc" => figures.epc(),
                _ => i128::from(figures.clicks),
            };
            let second = if question.sort == "key" {
                0
            } else {
                figures.clicks
            };
            (first, second)
        };
        order.sort_by_cached_key(|&number| {
            let (first, second) = rank(number);
            (-first, u64::MAX - second, label(number))
        });
        let mut writer = Writer::default();
        writer.open('{');
        writer.number_of("clicksOutside", outside);
        writer.number_of("groupsInAll", order.len() as u64);
        writer.key("total");
        writer.open('{');
        let mut all = times.to_vec();
        sort_numbers(&mut all);
        self.write_figures(&mut writer, &total, &all);
        writer.close('}');
        writer.key("groups");
        writer.open('[');
        let top = question.top.min(order.len());
        let (shown, others) = order.split_at_checked(top).unwrap_or_default();
        for &number in shown {
            let Some(figures) = figures.get(number as usize) else {
                continue;
            };
            writer.open('{');
            writer.key("key");
            writer.open('{');
            self.write_values(&mut writer, grouping, own, number);
            writer.close('}');
            let (from, to) = figures.times;
            let own_times = times.get(from..to).unwrap_or_default();
            self.write_figures(&mut writer, figures, own_times);
            writer.close('}');
        }
        writer.close(']');
        if !others.is_empty() {
            let mut rest = Figures::default();
            let mut rest_times = Vec::new();
            for &number in others {
                if let Some(figures) = figures.get(number as usize) {
                    rest.add(figures);
                    let (from, to) = figures.times;
                    rest_times.extend_from_slice(times.get(from..to).unwrap_or_default());
                }
            }
            writer.key("rest");
            writer.open('{');
            sort_numbers(&mut rest_times);
            self.write_figures(&mut writer, &rest, &rest_times);
            writer.close('}');
        }
        writer.close('}');
        writer.text
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is for display; the counts beside it are exact"
    )]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn write_figures(&self, writer: &mut Writer, figures: &Figures, times: &[u32]) {
        writer.number_of("clicks", figures.clicks);
        writer.number_of("uniqueClicks", figures.unique);
        writer.number_of("conversions", figures.conversions);
        writer.key("statuses");
        writer.open('{');
        for &(status, count) in &figures.statuses {
            let word = self.statuses.text(u32::from(status));
            writer.key(&String::from_utf8_lossy(word));
            writer.number(count);
        }
        writer.close('}');
        if figures.clicks > 0 {
            writer.key("rate");
            writer.float(figures.conversions as f64 / figures.clicks as f64);
            let (low, high) = wilson(figures.conversions.min(figures.clicks), figures.clicks);
            writer.key("rateLow");
            writer.float(low);
            writer.key("rateHigh");
            writer.float(high);
        }
        for (name, units) in [
            ("payout", figures.payout),
            ("revenue", figures.revenue),
            ("margin", figures.revenue - figures.payout),
            ("pendingPayout", figures.pending),
        ] {
            writer.key(name);
            writer.amount(units);
        }
        if figures.clicks > 0 {
            // Rounded half up to four places.
            let clicks = i128::from(figures.clicks);
            let twice = 2 * figures.payout + clicks;
            writer.key("epc");
            writer.amount(twice.div_euclid(2 * clicks));
        }
        for (name, percent) in [("medianSeconds", 50), ("p90Seconds", 90)] {
            if let Some(time) = quantile(times, percent) {
                writer.number_of(name, u64::from(time));
            }
        }
    }
}
