//! A breakdown as JSON text: the values of each group, and its figures.

use super::groups::{Dimension, Figures, Grouping, Own, Question, WEEKDAYS};
use super::{ADDRESS, AFFILIATE, FIRST_IPV4, OFFER};
use crate::report::memory::sort_numbers;
use crate::report::out::{Writer, quote};
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
        for (&dimension, value) in grouping.dimensions.iter().zip(grouping.values(number)) {
            writer.key(match dimension {
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
                Dimension::Own => "own",
            });
            writer.string(self.value_text(own, dimension, value, &mut String::new()));
        }
    }

    /// A dimension's value as text; one that is no stored text is written into the scratch text.
    fn value_text<'a>(
        &'a self,
        own: &'a Own,
        dimension: Dimension,
        value: u32,
        scratch: &'a mut String,
    ) -> &'a [u8] {
        scratch.clear();
        match dimension {
            Dimension::Column(OFFER) => return self.offers.text(value),
            Dimension::Column(AFFILIATE) => return self.affiliates.text(value),
            Dimension::Column(ADDRESS) if value >= FIRST_IPV4 => {
                for (index, byte) in value.to_be_bytes().into_iter().enumerate() {
                    if index > 0 {
                        scratch.push('.');
                    }
                    amount::write_digits(scratch, u64::from(byte), 1);
                }
            }
            Dimension::Column(column) => {
                let words = self.clicks.words.get(column);
                return words.map_or(&[], |words| words.text(value));
            }
            Dimension::Own => return own.words.text(value),
            _ if value == 0 => {}
            Dimension::Day => day::write_day(scratch, u64::from(value - 1)),
            Dimension::Hour => amount::write_digits(scratch, u64::from(value - 1), 2),
            Dimension::Weekday => {
                scratch.push_str(WEEKDAYS.get(value as usize - 1).copied().unwrap_or(""));
            }
        }
        scratch.as_bytes()
    }

    /// The groups in the order in which they are shown.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn order(
        &self,
        question: &Question,
        grouping: &Grouping,
        own: &Own,
        figures: &[Figures],
    ) -> Vec<u32> {
        // Groups without any row inside the window are left out.
        let mut order: Vec<u32> = (0_u32..)
            .zip(figures)
            .filter(|(_, figures)| figures.clicks + figures.conversions > 0)
            .map(|(number, _)| number)
            .collect();
        let rank = |figures: &Figures| -> (i128, u64) {
            let first = match question.sort.as_str() {
                "key" => return (0, 0),
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
            (first, figures.clicks)
        };
        let ranks: Vec<(i128, u64)> = figures.iter().map(rank).collect();
        // Groups of one rank are sorted by their values.
        let mut labels = String::new();
        let mut ends = vec![0];
        let mut scratch = String::new();
        for number in (0_u32..).take(figures.len()) {
            for (&dimension, value) in grouping.dimensions.iter().zip(grouping.values(number)) {
                quote(
                    &mut labels,
                    self.value_text(own, dimension, value, &mut scratch),
                );
            }
            ends.push(labels.len());
        }
        let label = |number: u32| {
            let from = ends.get(number as usize).copied()?;
            labels.get(from..ends.get(number as usize + 1).copied()?)
        };
        order.sort_by(|&one, &other| {
            let rank = |number: u32| ranks.get(number as usize);
            rank(other)
                .cmp(&rank(one))
                .then_with(|| label(one).cmp(&label(other)))
        });
        order
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn write_group(
        &self,
        writer: &mut Writer,
        (grouping, own): (&Grouping, &Own),
        number: u32,
        figures: &Figures,
        times: &[u32],
    ) {
        writer.open('{');
        writer.key("key");
        writer.open('{');
        self.write_values(writer, grouping, own, number);
        writer.close('}');
        let (from, to) = figures.times;
        self.write_figures(writer, figures, times.get(from..to).unwrap_or_default());
        writer.close('}');
    }

    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn write_breakdown(
        &self,
        question: &Question,
        grouping: &Grouping,
        own: &Own,
        figures: &[Figures],
        times: &[u32],
        outside: &Figures,
    ) -> String {
        let mut total = Figures::default();
        for figures in figures {
            total.add(figures);
        }
        let order = self.order(question, grouping, own, figures);
        let mut writer = Writer::default();
        writer.open('{');
        writer.number_of("clicksOutside", outside.clicks);
        writer.key("conversionsOutside");
        writer.open('{');
        writer.number_of("conversions", outside.conversions);
        writer.key("payout");
        writer.amount(outside.payout);
        writer.close('}');
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
            if let Some(figures) = figures.get(number as usize) {
                self.write_group(&mut writer, (grouping, own), number, figures, times);
            }
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
        }
        // The interval is of shares: a click may bring several conversions.
        if figures.clicks > 0 && figures.conversions <= figures.clicks {
            let (low, high) = wilson(figures.conversions, figures.clicks);
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
