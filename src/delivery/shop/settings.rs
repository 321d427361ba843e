//! The settings of a shop, and the rules that all platforms share.

use super::payload::{Payload, entries};
use super::{Conversion, Order, Sale, Verdict};
use crate::api::json::{Object, Value, parse_integer};
use crate::click_id::{self, MAX_PLAIN, is_own_id};
use crate::money::Money;
use crate::{Error, Result};

/// The meaning of a sale's revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revenue {
    /// The total paid, with tax and shipping.
    Total,
    /// The price of the goods after discounts, without tax and shipping.
    Subtotal,
    /// No revenue is sent: CAKE's own rules decide.
    Left,
}

/// The settings of a shop.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The offer; 0 where only the site's own mapping knows it.
    pub(super) offer_id: u64,
    /// What begins every id of this shop, where another shop's could be the same.
    pub(super) id_prefix: String,
    click_id_names: Vec<String>,
    /// The currency of CAKE's revenue, by three letters.
    currency: String,
    pub(super) revenue: Revenue,
    /// How long a repetition is recognised, in milliseconds.
    kept_ms: u64,
    /// Do test orders count?
    takes_tests: bool,
    /// Do later payments of a subscription count?
    takes_recurring: bool,
    /// Is the unique id the order's public number, rather than the platform's own id?
    pub(super) is_by_number: bool,
    /// Shopify: the topic that makes a sale.
    pub(super) sale_topic: String,
    /// `WooCommerce`: the statuses of an order that make it a sale.
    statuses: Vec<String>,
    pub(super) stripe: StripeSettings,
}

/// The settings that only Stripe has.
#[derive(Clone, Debug)]
pub(super) struct StripeSettings {
    /// May `client_reference_id` be the click id?
    pub(super) by_client_reference: bool,
}

/// The click id that an order names; else the reason why none counts: `own_id` where it has one of its own ids under a
/// click id's name, or empty.
pub(super) type FoundClick = Result<String, &'static str>;

/// An amount of a payload, with its currency.
pub(super) struct Amount {
    /// The amount in its shortest spelling; `None` where it is not valid.
    pub(super) text: Option<String>,
    pub(super) currency: Option<String>,
}

impl Settings {
    /// Reads the settings: an object of `offerId`, `currency`, `revenue`
    /// (`total`, `subtotal` or `none`), and, each with a default, `retentionDays`,
    /// `clickIdNames`, `testOrders`, `uniqueId` (`id`; `name` or `number`), `saleTopic`,
    /// `statuses`, `recurring`, `clientReferenceId`, `idPrefix`.
    ///
    /// # Errors
    /// [`Error::InvalidField`].
    pub(super) fn read(json: &str) -> Result<Self> {
        let fields = Object::read(json).ok_or_else(|| missing("settings", "must be an object"))?;
        let text = |name| fields.get(name).and_then(Value::string);
        let flag = |name, default| fields.get(name).map_or(default, Value::is_true);
        let texts = |name| {
            let list = fields.get(name).and_then(Value::array);
            list.map(|list| list.into_iter().filter_map(Value::string).collect())
        };
        let revenue = match text("revenue").as_deref() {
            Some("none") => Revenue::Left,
            Some("subtotal") => Revenue::Subtotal,
            _ => Revenue::Total,
        };
        let currency = text("currency").unwrap_or_default();
        let is_code =
            currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
        if revenue != Revenue::Left && !is_code {
            let rule =
                "must be the currency of CAKE's revenue, such as USD; or set revenue: \"none\"";
            return Err(missing("currency", rule));
        }
        Ok(Self {
            offer_id: fields
                .get("offerId")
                .and_then(Value::number)
                .and_then(parse_integer)
                .unwrap_or_default(),
            id_prefix: text("idPrefix").unwrap_or_default(),
            click_id_names: texts("clickIdNames")
                .unwrap_or_else(|| click_id::DEFAULT_PARAMETERS.map(str::to_owned).to_vec()),
            currency,
            revenue,
            kept_ms: fields
                .get("retentionDays")
                .and_then(Value::number)
                .and_then(parse_integer)
                .unwrap_or(30)
                .saturating_mul(86_400_000),
            takes_tests: flag("testOrders", false),
            takes_recurring: flag("recurring", false),
            is_by_number: matches!(text("uniqueId").as_deref(), Some("name" | "number")),
            sale_topic: text("saleTopic").unwrap_or_else(|| "orders/paid".to_owned()),
            statuses: texts("statuses")
                .unwrap_or_else(|| ["processing", "completed"].map(str::to_owned).to_vec()),
            stripe: StripeSettings {
                by_client_reference: flag("clientReferenceId", true),
            },
        })
    }

    /// The click id among attributes of an order: the first valid value under the first name that
    /// has one. `lists` are searched as one. Each is a list of `{ name, value }` or `{ key, value
    /// }`, or an object. `other` counts where none of them has one. The order's own ids count nowhere:
    /// `own_ids`, and attributes that are named as such. Of those a long one, such as a UUID, may as well be the click's
    /// id under the wrong name: then CAKE knows it, or refuses it.
    pub(super) fn find_click_id(
        &self,
        lists: &[Option<Value<'_>>],
        other: Option<String>,
        own_ids: &[String],
    ) -> FoundClick {
        let pairs: Vec<_> = lists
            .iter()
            .flatten()
            .flat_map(|list| attributes(*list))
            .collect();
        let is_for_clicks = |name: &&str| self.click_id_names.iter().any(|own| is_named(own, name));
        let ours = ORDER_ID_NAMES.iter().filter(|name| !is_for_clicks(name));
        let own_ids: Vec<String> = own_ids
            .iter()
            .map(|id| self.prefixed(id))
            .chain(own_ids.iter().cloned())
            .chain(
                ours.flat_map(|name| values(&pairs, name))
                    .filter(|id| id.trim().len() <= MAX_PLAIN),
            )
            .collect();
        let own_ids: Vec<&str> = own_ids.iter().map(String::as_str).collect();
        let names = self.click_id_names.iter();
        let mut reason = "";
        names
            .flat_map(|name| values(&pairs, name))
            .chain(other)
            .filter_map(|value| as_click_id(&value))
            .find(|id| {
                let is_own = is_own_id(id, &own_ids);
                if is_own {
                    reason = "own_id";
                }
                !is_own
            })
            .ok_or(reason)
    }

    /// Is an order of `WooCommerce` with that status a sale?
    pub(super) fn counts(&self, status: &str) -> bool {
        self.statuses.iter().any(|own| own == status)
    }

    /// Is this a test order that does not count?
    pub(super) fn refuses_test(&self, is_test: bool) -> bool {
        is_test && !self.takes_tests
    }

    /// Did it become a sale longer ago than events are kept? Platforms send an order again after
    /// each edit, and an old sale would not be recognised as a repetition.
    pub(super) fn is_too_old(&self, sale: &Sale, now_ms: u64) -> bool {
        self.is_past(sale.sold_at_ms.max(sale.paid_at_ms), now_ms)
    }

    /// Is that time longer ago than events are kept?
    pub(super) fn is_past(&self, at_ms: Option<u64>, now_ms: u64) -> bool {
        at_ms.is_some_and(|at_ms| at_ms.saturating_add(self.kept_ms) < now_ms)
    }

    /// Is this a later payment that does not count? Its order has the first one's fields, also the
    /// click id.
    pub(super) fn refuses_recurring(&self, is_recurring: bool) -> bool {
        is_recurring && !self.takes_recurring
    }

    /// An id as it is told to the forwarder and to CAKE.
    pub(super) fn prefixed(&self, id: &str) -> String {
        [&self.id_prefix, id].concat()
    }

    /// Puts the prefix before every id of a verdict.
    pub(super) fn prefix(&self, verdict: &mut Verdict) {
        let prefix = |id: &mut String| id.insert_str(0, &self.id_prefix);
        if let Some(sale) = &mut verdict.sale {
            prefix(&mut sale.conversion.unique_id);
        }
        if let Some(order) = &mut verdict.order {
            order
                .unique_ids
                .iter_mut()
                .chain(&mut order.link)
                .chain(&mut order.alias)
                .for_each(prefix);
        }
    }

    /// Are amounts of that currency of the kind that the revenue is?
    pub(super) fn is_own_currency(&self, currency: Option<&str>) -> bool {
        self.revenue == Revenue::Total && self.is_currency(currency)
    }

    /// Is this the currency of CAKE's revenue?
    pub(super) fn is_currency(&self, code: Option<&str>) -> bool {
        code.is_some_and(|code| code.trim().eq_ignore_ascii_case(&self.currency))
    }

    /// The revenue that an amount is, or why it is none; empty where none is wanted.
    pub(super) fn revenue_of(&self, amount: Amount) -> (Option<String>, &'static str) {
        match self.revenue {
            Revenue::Left => (None, ""),
            _ if !self.is_currency(amount.currency.as_deref()) => (None, "currency"),
            _ if amount.text.is_none() => (None, "amount"),
            _ => (amount.text, ""),
        }
    }

    /// The ids of an order whose unique id is its `id`, or its public `number`. A number may change, the id never
    /// does: the first number is remembered under it. Empty where the order has no such id or number.
    pub(super) fn order_ids(&self, number: Option<String>, id: Option<String>) -> Vec<String> {
        if !self.is_by_number {
            return id.into_iter().collect();
        }
        // Another order may have this id as its number.
        let other = number.is_some().then_some(id).flatten();
        let other = other.map(|id| ["order id ", &id].concat());
        number.into_iter().chain(other).collect()
    }

    /// A sale, or the reason why there is none. `as_of_ms` is the time of what the webhook says. `unique_ids` are
    /// those of [`Order::unique_ids`].
    pub(super) fn sale(
        &self,
        as_of_ms: u64,
        click_id: FoundClick,
        unique_ids: Vec<String>,
        amount: Amount,
        paid_at_ms: Option<u64>,
    ) -> Verdict {
        let Some(unique_id) = unique_ids.first().cloned() else {
            return Verdict::ignored("no_order_id");
        };
        let (revenue, revenue_left_out) = self.revenue_of(amount);
        let mut order = Order::new(unique_ids, as_of_ms, "sent", Vec::new());
        let click_id = match click_id {
            Ok(click_id) => click_id,
            Err(reason) => {
                // The order's page may have told the click.
                order.add_sale(revenue.as_deref());
                return Verdict {
                    reason,
                    order: Some(order),
                    ..Verdict::of("no_click_id")
                };
            }
        };
        let mut verdict = Verdict::sale(Sale {
            conversion: Conversion {
                click_id,
                offer_id: self.offer_id,
                unique_id,
                revenue,
            },
            paid_at_ms,
            sold_at_ms: None,
            revenue_left_out,
        });
        verdict.order = Some(order);
        verdict
    }
}

/// The values under a name.
fn values(pairs: &[(String, Option<Value<'_>>)], name: &str) -> Vec<String> {
    let named = pairs.iter().filter(|(own, _)| is_named(own, name));
    named
        .filter_map(|(_, value)| plain_text((*value)?))
        .collect()
}

/// The names under which shops keep an order's id besides.
const ORDER_ID_NAMES: [&str; 4] = ["order_id", "orderid", "order_number", "ordernumber"];

/// A value that is a click id, trimmed of white space.
fn as_click_id(value: &str) -> Option<String> {
    let id = value.trim();
    click_id::check(id).is_ok().then(|| id.to_owned())
}

/// Compares names as those of landing parameters are. Shopify and `WordPress` hide an attribute
/// whose name starts with underscores.
fn is_named(own: &str, name: &str) -> bool {
    let plain = |text: &str| text.trim().trim_start_matches('_').to_ascii_lowercase();
    plain(own) == plain(name)
}

/// The attributes of an order by their names: the fields of an object, and the entries
/// `{ name, value }` or `{ key, value }` of a list. An object may be either.
pub(super) fn attributes(list: Value<'_>) -> Vec<(String, Option<Value<'_>>)> {
    let object = list.object();
    let mut pairs: Vec<_> = object
        .iter()
        .flat_map(Object::entries)
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .collect();
    let entries = entries(list, "attribute").unwrap_or_default();
    pairs.extend(entries.into_iter().filter_map(|entry| {
        let fields = entry.object()?;
        let name = fields.get("name").or_else(|| fields.get("key"))?;
        Some((name.string()?, fields.get("value")))
    }));
    pairs
}

/// A text, or a whole number's digits: older accounts have numeric click ids.
fn plain_text(value: Value<'_>) -> Option<String> {
    let digits = value
        .number()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.map(str::to_owned).or_else(|| value.string())
}

impl Amount {
    /// An amount as shops write it, `"409.94"` or `409.94`.
    pub(super) fn decimal(
        payload: &Payload<'_>,
        amount: &[&str],
        currency: Option<String>,
    ) -> Self {
        Self {
            text: payload
                .text(amount)
                .and_then(|text| money(&text))
                .map(shortest),
            currency,
        }
    }
}

/// An amount without a sign. Zeros after its fourth decimal place are dropped.
pub(super) fn money(text: &str) -> Option<Money> {
    Money::parse("revenue", Money::without_zeros(text)).ok()
}

pub(super) fn shortest(money: Money) -> String {
    money.shortest().to_string()
}

/// An amount from ten-thousandths.
pub(super) fn from_units(units: u64) -> Option<String> {
    let text = [
        &(units / 10_000).to_string(),
        ".",
        &padded(units % 10_000, 4),
    ]
    .concat();
    money(&text).map(shortest)
}

/// A number padded with leading zeros.
pub(super) fn padded(number: u64, places: usize) -> String {
    let digits = number.to_string();
    ["0".repeat(places.saturating_sub(digits.len())), digits].concat()
}

fn missing(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}
