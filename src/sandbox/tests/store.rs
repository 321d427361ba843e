//! An in-memory store that carries plans out, as the Durable Object does.

use crate::sandbox::plan::{ConversionFilter, Need, RowPage, Write};
use crate::sandbox::row::PostbackRow;
use crate::sandbox::{
    ClickRow, ConversionRow, FiredRow, HttpAnswer, IncomingRequest, Network, Numbers, Rows, Step,
    Sum,
};

#[derive(Default)]
pub(super) struct Store {
    pub(super) clicks: Vec<ClickRow>,
    pub(super) conversions: Vec<ConversionRow>,
    pub(super) postbacks: Vec<PostbackRow>,
    pub(super) fired: Vec<FiredRow>,
}

impl Store {
    pub(super) fn get(&mut self, network: &Network, path: &str, now_ms: u64) -> HttpAnswer {
        self.serve(network, "GET", path, None, now_ms)
    }

    pub(super) fn serve(
        &mut self,
        network: &Network,
        method: &str,
        path: &str,
        body: Option<&str>,
        now_ms: u64,
    ) -> HttpAnswer {
        let call = IncomingRequest {
            method: method.into(),
            url: format!("http://127.0.0.1:8787{path}"),
            body: body.map(str::to_owned),
            now_ms,
            fresh_id: format!("id-{}", self.clicks.len() + 1),
            next: Numbers {
                click: self.clicks.len() as u64 + 1,
                conversion: self.conversions.len() as u64 + 998_877,
                postback: self.postbacks.len() as u64 + 8_801,
                fired: self.fired.len() as u64 + 1,
            },
            ..IncomingRequest::default()
        };
        let mut rows = Rows::default();
        // A decision that never ends is an error of the rules.
        for _ in 0..10 {
            match network.decide(&call, &rows) {
                Step::Need(need) => self.load(need, &mut rows),
                Step::Plan(plan) => {
                    plan.writes.into_iter().for_each(|write| self.apply(write));
                    return plan.answer;
                }
            }
        }
        panic!("no plan for {path}");
    }

    fn load(&self, need: Need, rows: &mut Rows) {
        match need {
            Need::Click { click_id } => {
                let click = self.clicks.iter().find(|row| row.click_id == click_id);
                rows.click = Some(click.map(|row| self.with_conversion(row)));
            }
            Need::Duplicate { dedupe_key } => {
                let found = self
                    .conversions
                    .iter()
                    .find(|row| row.dedupe_key.as_ref() == Some(&dedupe_key));
                rows.duplicate = Some(found.cloned());
            }
            Need::Conversion { conversion_id } => {
                let found = self
                    .conversions
                    .iter()
                    .find(|row| row.conversion_id == conversion_id);
                rows.conversion = Some(found.cloned());
            }
            Need::Count { filter } => {
                rows.count = Some(self.matching(&filter).len() as u64);
            }
            Need::Postbacks { affiliate_id } => {
                let own = self.postbacks.iter();
                rows.postbacks = Some(
                    own.filter(|row| row.affiliate_id == affiliate_id)
                        .cloned()
                        .collect(),
                );
            }
            Need::Clicks { filter } => {
                let found: Vec<_> = self
                    .clicks
                    .iter()
                    .filter(|row| {
                        filter
                            .from
                            .as_ref()
                            .is_none_or(|from| row.click_date >= *from)
                    })
                    .filter(|row| {
                        filter
                            .before
                            .as_ref()
                            .is_none_or(|end| row.click_date < *end)
                    })
                    .filter(|row| filter.offer_id.is_none_or(|id| row.offer_id == id))
                    .filter(|row| filter.affiliate_id.is_none_or(|id| row.affiliate_id == id))
                    .map(|row| self.with_conversion(row))
                    .collect();
                rows.clicks = Some(page(&found, filter.offset, filter.limit));
            }
            Need::Conversions { filter } => {
                let found = self.matching(&filter);
                rows.conversions = Some(page(&found, filter.offset, filter.limit));
            }
        }
    }

    fn matching(&self, filter: &ConversionFilter) -> Vec<ConversionRow> {
        let mut found: Vec<_> = self
            .conversions
            .iter()
            .filter(|row| {
                filter
                    .from
                    .as_ref()
                    .is_none_or(|from| row.conversion_date >= *from)
            })
            .filter(|row| {
                filter
                    .before
                    .as_ref()
                    .is_none_or(|end| row.conversion_date < *end)
            })
            .filter(|row| filter.affiliate_id.is_none_or(|id| row.affiliate_id == id))
            .filter(|row| {
                filter
                    .offer_ids
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&row.offer_id))
            })
            .filter(|row| {
                let statuses = filter.statuses.as_ref();
                statuses.is_none_or(|words| words.contains(&row.conversion_status))
            })
            .filter(|row| {
                let updated = row.updated_date.as_ref().unwrap_or(&row.conversion_date);
                filter
                    .updated_from
                    .as_ref()
                    .is_none_or(|from| updated >= from)
            })
            .filter(|row| {
                filter
                    .is_corrected
                    .is_none_or(|is| is == (row.corrections > 0))
            })
            .filter(|row| filter.unique_id.is_none() || row.unique_id == filter.unique_id)
            .cloned()
            .collect();
        found.sort_by(|a, b| match filter.sort {
            "payout_units" => a.payout_units.cmp(&b.payout_units),
            "conversion_id" => a.conversion_id.cmp(&b.conversion_id),
            _ => a.conversion_date.cmp(&b.conversion_date),
        });
        if filter.is_descending {
            found.reverse();
        }
        found
    }

    fn with_conversion(&self, row: &ClickRow) -> ClickRow {
        ClickRow {
            conversion_id: self
                .conversions
                .iter()
                .find(|conversion| conversion.click_id == row.click_id)
                .map(|conversion| conversion.conversion_id),
            ..row.clone()
        }
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::Click(row) => self.clicks.push(row),
            Write::Conversion(row) => {
                let key = row.dedupe_key.as_ref();
                assert!(
                    key.is_none()
                        || self
                            .conversions
                            .iter()
                            .all(|old| old.dedupe_key.as_ref() != key),
                    "a deduplicated conversion was recorded twice"
                );
                self.conversions.push(row);
            }
            Write::Changed(changed) => {
                for row in &mut self.conversions {
                    if row.conversion_id == changed.conversion_id {
                        row.clone_from(&changed);
                    }
                }
            }
            Write::Postback(row) => self.postbacks.push(row),
            Write::Fired(row) => self.fired.push(row),
        }
    }

    pub(super) fn sums(&self) -> Vec<Sum> {
        self.conversions
            .iter()
            .map(|row| Sum {
                affiliate_id: row.affiliate_id,
                conversion_status: row.conversion_status.clone(),
                conversions: 1,
                payout_units: row.payout_units,
            })
            .collect()
    }
}

fn page<T: Clone>(found: &[T], offset: u64, limit: u64) -> RowPage<T> {
    let rows = found
        .iter()
        .skip(usize::try_from(offset).unwrap())
        .take(usize::try_from(limit).unwrap())
        .cloned()
        .collect();
    RowPage {
        rows,
        total: found.len() as u64,
    }
}
