//! `reports.asmx/EventConversions` and `reports.asmx/EventConversionChanges`.

use super::answer::{Node, money, named, nil, raw, rows, text};
use super::clicks::{disposition, sub_ids};
use super::{Call, Kind, Parameter, iso};
use crate::sandbox::plan::{ConversionFilter, Decided, Need, Plan, Rows, Stop};
use crate::sandbox::{Action, ConversionRow, Network};

const EVENT_TYPES: Kind = Kind::Word(&["all", "macro_event_conversions", "micro_events"]);
const DISPOSITIONS: Kind = Kind::Word(&["all", "approved", "pending", "rejected", "returned"]);

pub(super) const PARAMETERS: &[Parameter] = &[
    ("start_date", Kind::Date),
    ("end_date", Kind::Date),
    ("event_type", EVENT_TYPES),
    ("event_id", Kind::Integer),
    ("source_affiliate_id", Kind::Integer),
    ("brand_advertiser_id", Kind::Integer),
    ("channel_id", Kind::Integer),
    ("site_offer_id", Kind::Integer),
    ("site_offer_contract_id", Kind::Integer),
    ("source_affiliate_tag_id", Kind::Integer),
    ("brand_advertiser_tag_id", Kind::Integer),
    ("site_offer_tag_id", Kind::Integer),
    ("campaign_id", Kind::Integer),
    ("creative_id", Kind::Integer),
    ("price_format_id", Kind::Integer),
    ("source_type", Kind::Text),
    ("payment_percentage_filter", Kind::Text),
    ("disposition_type", DISPOSITIONS),
    ("disposition_id", Kind::Integer),
    ("source_affiliate_billing_status", Kind::Text),
    ("brand_advertiser_billing_status", Kind::Text),
    ("test_filter", Kind::Text),
    ("start_at_row", Kind::Integer),
    ("row_limit", Kind::Integer),
    ("sort_field", Kind::Text),
    ("sort_descending", Kind::Boolean),
];

pub(super) const CHANGES_PARAMETERS: &[Parameter] = &[
    ("changes_since", Kind::Date),
    ("include_new_event_conversions", Kind::Boolean),
    ("source_affiliate_id", Kind::Integer),
    ("brand_advertiser_id", Kind::Integer),
    ("site_offer_id", Kind::Integer),
    ("campaign_id", Kind::Integer),
    ("creative_id", Kind::Integer),
    ("include_tests", Kind::Boolean),
    ("start_at_row", Kind::Integer),
    ("row_limit", Kind::Integer),
    ("sort_field", Kind::Text),
    ("sort_descending", Kind::Boolean),
];

/// The sortable fields, and their columns.
const SORTS: [(&str, &str); 3] = [
    ("event_conversion_date", "conversion_date"),
    ("event_conversion_id", "conversion_id"),
    ("conversion_id", "conversion_id"),
];

/// The event of a conversion without one.
const MACRO_EVENT: (u64, &str) = (1, "Conversion");

impl Network {
    pub(super) fn event_conversions(&self, call: &Call<'_>, loaded: &Rows) -> Decided<Plan> {
        let Some(page) = &loaded.conversions else {
            let filter = self.event_conversion_filter(call)?;
            return Err(Stop::Need(Box::new(Need::Conversions { filter })));
        };
        let conversions = page
            .rows
            .iter()
            .map(|row| self.event_conversion(row))
            .collect();
        let nodes = vec![
            raw("row_count", page.total),
            rows("event_conversions", "event_conversion", conversions),
        ];
        Ok(call.answer(nodes).into())
    }

    fn event_conversion_filter(&self, call: &Call<'_>) -> Decided<ConversionFilter> {
        let asked = &call.asked;
        let (offset, limit) = call.page_range();
        let field = asked.text("sort_field");
        let sort = SORTS.iter().find(|(name, _)| *name == field);
        if sort.is_none() && !field.is_empty() {
            return call.refuse("Invalid sort_field", true);
        }
        let is_changes = call.method.action == Action::EventConversionChanges;
        let statuses = match asked.text("disposition_type") {
            "" | "all" => None,
            "returned" => Some(vec!["returned".to_owned(), "reversed".to_owned()]),
            word => Some(vec![word.to_owned()]),
        };
        let offer_id = asked.id("site_offer_id");
        let advertiser_id = asked.id("brand_advertiser_id");
        let offer_ids = (offer_id.is_some() || advertiser_id.is_some()).then(|| {
            self.fixture
                .offers
                .iter()
                .filter(|offer| offer_id.is_none_or(|id| id == offer.offer_id))
                .filter(|offer| advertiser_id.is_none() || offer.advertiser_id == advertiser_id)
                .map(|offer| offer.offer_id)
                .collect()
        });
        Ok(ConversionFilter {
            from: asked.time("start_date"),
            before: asked.time("end_date"),
            updated_from: asked.time("changes_since"),
            is_corrected: (is_changes && !asked.flag("include_new_event_conversions"))
                .then_some(true),
            offer_ids,
            affiliate_id: asked.id("source_affiliate_id"),
            statuses,
            offset,
            limit,
            sort: sort.map_or("conversion_date", |(_, column)| column),
            is_descending: asked.flag("sort_descending"),
            is_whole: true,
            ..ConversionFilter::default()
        })
    }

    fn event_conversion(&self, row: &ConversionRow) -> Vec<Node> {
        let date = iso(&row.conversion_date);
        let number = row.conversion_id;
        let currency = match row.currency.as_deref() {
            Some("EUR") => 2,
            Some("GBP") => 3,
            Some("AUD") => 4,
            Some("CAD") => 5,
            _ => 1,
        };
        let (event_id, event_name) = match row.event_id {
            Some(id) => (id, ""),
            None => MACRO_EVENT,
        };
        let mut nodes = vec![
            raw("event_conversion_id", number),
            raw("visitor_id", number),
            raw("original_visitor_id", number),
            raw("tracking_id", number),
            raw("original_tracking_id", number),
            text("request_session_id", &row.click_id),
            text("event_conversion_date", &date),
            text(
                "last_updated",
                &iso(row.updated_date.as_deref().unwrap_or(&row.conversion_date)),
            ),
            nil("click_date"),
            text("source_date", &date),
            named("event_info", event_id, event_name),
        ];
        nodes.extend(self.parties(row.affiliate_id, row.offer_id));
        nodes.extend(sub_ids([None; 5]));
        let amount = |name, amount: &str| money(name, amount, currency);
        nodes.extend([
            text("source_type", "Server"),
            named("price_format", 1, "CPA"),
            amount("paid", &row.payout),
            amount("paid_unbilled", &row.payout),
            amount("received", &row.revenue),
            amount("received_unbilled", &row.revenue),
            raw("site_offer_credit_percentage", "1.000000"),
            raw("site_offer_payment_percentage", "1.000000"),
            raw("program_credit_percentage", "1.000000"),
            raw("pixel_dropped", false),
            raw("suppressed", false),
            raw(
                "returned",
                matches!(row.conversion_status.as_str(), "returned" | "reversed"),
            ),
            raw("test", false),
            text("transaction_id", row.unique_id.as_deref().unwrap_or("")),
            disposition(&row.conversion_status),
            amount("order_total", row.order_total.as_deref().unwrap_or("0")),
            nil("event_conversion_score"),
            text("note", row.note.as_deref().unwrap_or("")),
        ]);
        nodes
    }
}
