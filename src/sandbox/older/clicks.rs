//! `reports.asmx/Clicks`. The service's `click_id`, `tracking_id` and `visitor_id` are numbers of
//! its own. The click id of links and of the newer API is `request_session_id`.

use super::answer::{Node, country, group, named, raw, rows, text};
use super::{Call, Kind, Parameter, iso};
use crate::sandbox::plan::{ClickFilter, Decided, Need, Plan, Rows, Stop};
use crate::sandbox::{ClickRow, Network};

pub(super) const PARAMETERS: &[Parameter] = &[
    ("start_date", Kind::Date),
    ("end_date", Kind::Date),
    ("affiliate_id", Kind::Integer),
    ("advertiser_id", Kind::Integer),
    ("offer_id", Kind::Integer),
    ("campaign_id", Kind::Integer),
    ("creative_id", Kind::Integer),
    ("price_format_id", Kind::Integer),
    ("include_duplicates", Kind::Boolean),
    ("include_tests", Kind::Boolean),
    ("start_at_row", Kind::Integer),
    ("row_limit", Kind::Integer),
];

/// The first number of each range of ids, so that the ranges cannot be confused.
const CLICKS: u64 = 1_633_000_000;
const TRACKINGS: u64 = 1_251_000_000;
const VISITORS: u64 = 964_000_000;

impl Network {
    pub(super) fn older_clicks(&self, call: &Call<'_>, loaded: &Rows) -> Decided<Plan> {
        let Some(page) = &loaded.clicks else {
            let (offset, limit) = call.page_range();
            let filter = ClickFilter {
                from: call.asked.time("start_date"),
                before: call.asked.time("end_date"),
                offer_id: call.asked.id("offer_id"),
                affiliate_id: call.asked.id("affiliate_id"),
                offset,
                limit,
            };
            return Err(Stop::Need(Box::new(Need::Clicks { filter })));
        };
        let clicks = page.rows.iter().map(|row| self.older_click(row)).collect();
        let nodes = vec![
            raw("row_count", page.total),
            rows("clicks", "click", clicks),
        ];
        Ok(call.answer(nodes).into())
    }

    fn older_click(&self, row: &ClickRow) -> Vec<Node> {
        let mut nodes = vec![
            raw("click_id", CLICKS + row.number),
            raw("visitor_id", VISITORS + row.number),
            raw("tracking_id", TRACKINGS + row.number),
            text("request_session_id", &row.click_id),
            text("click_date", &iso(&row.click_date)),
        ];
        nodes.extend(self.parties(row.affiliate_id, row.offer_id));
        nodes.push(named(
            "creative",
            row.creative_id,
            &row.creative_id.to_string(),
        ));
        nodes.extend(sub_ids(row.sub_ids()));
        nodes.extend([
            text("ip_address", row.ip_address.as_deref().unwrap_or("")),
            text("user_agent", ""),
            text("referrer_url", ""),
            text("search_term", ""),
            text("request_url", ""),
            text("redirect_url", ""),
            country(row.country.as_deref().unwrap_or("")),
            text("disposition", ""),
            raw("duplicate", false),
            raw("duplicate_clicks", 0),
            raw("total_clicks", 1),
        ]);
        nodes
    }
}

/// The sub ids; a missing one is an empty element.
pub(super) fn sub_ids(values: [Option<&str>; 5]) -> impl Iterator<Item = Node> {
    ["sub_id_1", "sub_id_2", "sub_id_3", "sub_id_4", "sub_id_5"]
        .into_iter()
        .zip(values)
        .map(|(name, value)| text(name, value.unwrap_or("")))
}

/// The disposition of a conversion, by its status *(inference)*.
pub(super) fn disposition(word: &str) -> Node {
    group(
        "current_disposition",
        vec![
            named("disposition", 1, word),
            group(
                "disposition_type",
                vec![
                    raw("disposition_type_id", 1),
                    text("disposition_type_name", word),
                ],
            ),
        ],
    )
}
