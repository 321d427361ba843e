//! A shop's data about an order, on a pixel or in a `p.ashx` postback (KB 5000545792): totals,
//! currency, coupons, line items. The device's id (KB 5000545803) comes with it. The order is
//! checked as a whole: wrong sums would put a purchase into a report that nobody made.

use super::params::{Params, field};
use crate::money::Money;
use crate::placeholder::is_missing_value;
use crate::url::{is_plain_text, push_number, push_parameter};
use crate::{Error, Result};

/// The order's own fields, and CAKE's names of them.
const AMOUNTS: [(&str, &str); 5] = [
    ("orderTotal", "ect"),
    ("subtotal", "ecst"),
    ("tax", "ectx"),
    ("shipping", "ecsh"),
    ("discount", "ecd"),
];

pub(crate) const NAMES: [&str; 12] = [
    "orderTotal",
    "subtotal",
    "tax",
    "shipping",
    "discount",
    "currency",
    "country",
    "region",
    "voucher",
    "coupons",
    "items",
    "udid",
];

const ITEM_NAMES: [&str; 4] = ["sku", "quantity", "price", "discount"];

/// The separator between the values of a list; no value contains it.
const SEPARATOR: char = '^';

/// The most line items and coupons.
const MAX_LIST: usize = 100;
/// The most characters of a text.
const MAX_TEXT: usize = 100;
const MAX_QUANTITY: u64 = 100_000;

/// The first field of an order that [`query`] has written.
pub(crate) fn first_field(order: &str) -> &'static str {
    let wire = order.split('=').next().unwrap_or_default();
    let others = [
        ("currency", "eccu"),
        ("country", "ecco"),
        ("region", "ecrg"),
        ("voucher", "ecv"),
        ("coupons", "ecc"),
        ("udid", "udid"),
    ];
    let named = AMOUNTS
        .into_iter()
        .chain(others)
        .find(|(_, own)| *own == wire);
    named.map_or("items", |(name, _)| name)
}

/// Checks an order, a caller's JSON object, and writes it as a query: `ect=…&eccu=…`. An empty
/// order gives an empty query.
///
/// Fields: `orderTotal`, `subtotal`, `tax`, `shipping`, `discount` (amounts), `currency` (such as
/// `EUR`), `country` (such as `DE`), `region`, `voucher`, `coupons` (a list), `udid`. `items` is a
/// list of `sku`, `quantity`, `price` of one, `discount` of the line.
///
/// # Errors
/// [`Error::InvalidField`], [`Error::InvalidMoney`], [`Error::InvalidText`].
pub(crate) fn query(order: &str) -> Result<String> {
    query_of(&Params::read(order, &NAMES)?)
}

/// Like [`query`], for fields that were read with others. One value has one spelling: `18.000` is
/// `18.00`.
pub(super) fn query_of(params: &Params<'_>) -> Result<String> {
    let mut query = String::new();
    let mut amounts = [None; AMOUNTS.len()];
    for (amount, (name, wire)) in amounts.iter_mut().zip(AMOUNTS) {
        *amount = money(params, name)?;
        if let Some(amount) = amount {
            push_parameter(&mut query, wire, &amount.shortest().to_string());
        }
    }
    let [total, subtotal, tax, shipping, discount] = amounts;
    let code = |name, wire, length: usize, query: &mut String| -> Result<bool> {
        let Some(code) = params.text(name)? else {
            return Ok(false);
        };
        if code.len() != length || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(field(
                name,
                if length == 3 {
                    "must be three capital letters, such as EUR"
                } else {
                    "must be two capital letters, such as DE"
                },
            ));
        }
        push_parameter(query, wire, &code);
        Ok(true)
    };
    let has_currency = code("currency", "eccu", 3, &mut query)?;
    code("country", "ecco", 2, &mut query)?;
    for (name, wire) in [("region", "ecrg"), ("voucher", "ecv")] {
        if let Some(text) = params.text(name)? {
            push_parameter(&mut query, wire, checked(name, &text)?);
        }
    }
    let coupons = params.texts("coupons")?;
    push_list(&mut query, "ecc", "coupons", &coupons)?;
    let lines = items(params, &mut query)?;
    // A line's price is an amount too.
    if !has_currency && (amounts.iter().any(Option::is_some) || lines.is_some()) {
        return Err(field("currency", "is missing beside an amount"));
    }
    if let (Some(lines), Some(wanted)) = (lines, subtotal)
        && lines != whole(wanted)
    {
        return Err(field(
            "items",
            "must add up to the subtotal: each quantity times its price, less the line's discount",
        ));
    }
    // The total can be checked against a sum only where each part is known.
    let base = subtotal.map(whole).or(lines);
    if let (Some(total), Some(base)) = (total, base) {
        let units = |amount: Option<Money>| amount.map_or(0, whole);
        let is_whole = subtotal.is_some() || tax.is_some() && shipping.is_some();
        let sum = base + units(tax) + units(shipping) - units(discount);
        if is_whole && sum != whole(total) {
            return Err(field(
                "orderTotal",
                "must be the subtotal with tax and shipping, less the discount",
            ));
        }
    }
    if let Some(udid) = params.text("udid")? {
        let udid = checked("udid", &udid)?;
        if is_missing_value(udid) {
            return Err(Error::PlaceholderText { parameter: "udid" });
        }
        push_parameter(&mut query, "udid", udid);
    }
    Ok(query)
}

/// An amount in 1/10000.
fn whole(amount: Money) -> i64 {
    i64::try_from(amount.units()).unwrap_or(i64::MAX)
}

fn money(params: &Params<'_>, name: &'static str) -> Result<Option<Money>> {
    params
        .amount(name)?
        .map(|text| Money::parse(name, &text))
        .transpose()
}

/// A text of one line, without the separator of lists.
fn checked<'a>(name: &'static str, text: &'a str) -> Result<&'a str> {
    let text = text.trim();
    if !is_plain_text(text) {
        return Err(Error::InvalidText { parameter: name });
    }
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        return Err(field(name, "must have 1 to 100 characters"));
    }
    if text.contains(SEPARATOR) {
        return Err(field(
            name,
            "must not hold ^, which parts the values of CAKE's lists",
        ));
    }
    Ok(text)
}

fn push_list(query: &mut String, wire: &str, name: &'static str, values: &[String]) -> Result<()> {
    if values.len() > MAX_LIST {
        return Err(field(name, "must be a list of at most 100"));
    }
    let mut joined = String::new();
    for value in values {
        if !joined.is_empty() {
            joined.push(SEPARATOR);
        }
        joined.push_str(checked(name, value)?);
    }
    if !joined.is_empty() {
        push_parameter(query, wire, &joined);
    }
    Ok(())
}

/// The line items, as CAKE's four lists: all four or none. Returns their sum, where there are any.
fn items(params: &Params<'_>, query: &mut String) -> Result<Option<i64>> {
    let items = params.objects("items", &ITEM_NAMES)?;
    if items.is_empty() {
        return Ok(None);
    }
    let mut lists: [Vec<String>; 4] = Default::default();
    let mut sum = 0_i64;
    for item in items {
        let [skus, quantities, prices, discounts] = &mut lists;
        let rule = "must be a whole number from 1 to 100000";
        let quantity = item.number("quantity", 1, MAX_QUANTITY, rule)?;
        let quantity = Params::required("quantity", quantity)?;
        let price = Params::required("price", money(&item, "price")?)?;
        // A line without a discount has one of 0: CAKE takes all four lists or none.
        let discount = money(&item, "discount")?.unwrap_or_default();
        let line = i64::try_from(quantity)
            .unwrap_or(i64::MAX)
            .saturating_mul(whole(price))
            - whole(discount);
        if line < 0 {
            return Err(field("discount", "must not be more than its line"));
        }
        sum = sum.saturating_add(line);
        skus.push(checked("sku", &item.required_text("sku")?)?.to_owned());
        let mut digits = String::new();
        push_number(&mut digits, quantity, 10);
        quantities.push(digits);
        prices.push(price.shortest().to_string());
        discounts.push(discount.shortest().to_string());
    }
    for (wire, list) in ["ecsk", "ecqu", "ecpr", "ecld"].into_iter().zip(&lists) {
        push_list(query, wire, "items", list)?;
    }
    Ok(Some(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_written_by_cakes_names_in_one_order() {
        let order = r#"{"orderTotal":"21.90","subtotal":18,"tax":"3.42","shipping":"2.48","discount":2,"currency":"EUR","country":"DE","region":"Bayern","voucher":"V-1","coupons":["A&B","SUMMER"],"items":[{"sku":"S 1","quantity":2,"price":"5.00","discount":"1.00"},{"sku":"S2","quantity":1,"price":"9.00"}],"udid":"38400000-8cf0"}"#;
        assert_eq!(
            query(order).unwrap(),
            "ect=21.90&ecst=18.00&ectx=3.42&ecsh=2.48&ecd=2.00&eccu=EUR&ecco=DE&ecrg=Bayern&ecv=V-1&ecc=A%26B%5ESUMMER&ecsk=S%201%5ES2&ecqu=2%5E1&ecpr=5.00%5E9.00&ecld=1.00%5E0.00&udid=38400000-8cf0"
        );
        assert_eq!(query("{}").unwrap(), "");
        assert_eq!(query(r#"{"coupons":[],"items":[]}"#).unwrap(), "");
    }

    #[test]
    fn sums_that_do_not_add_up_are_refused_by_their_name() {
        for (order, parameter) in [
            (r#"{"orderTotal":"1"}"#, "currency"),
            (
                r#"{"items":[{"sku":"S","quantity":1,"price":"1"}]}"#,
                "currency",
            ),
            (r#"{"udid":"undefined"}"#, "udid"),
            (r#"{"udid":" NULL "}"#, "udid"),
            (r#"{"udid":"{{udid}}"}"#, "udid"),
            (r#"{"orderTotal":"-1","currency":"EUR"}"#, "orderTotal"),
            (
                r#"{"orderTotal":0.30000000000000004,"currency":"EUR"}"#,
                "orderTotal",
            ),
            (r#"{"currency":"eur"}"#, "currency"),
            (r#"{"currency":"€"}"#, "currency"),
            (r#"{"country":"GER"}"#, "country"),
            (r#"{"region":""}"#, "region"),
            (r#"{"voucher":"a\nb"}"#, "voucher"),
            (r#"{"voucher":"a^b"}"#, "voucher"),
            (r#"{"coupons":["a^b"]}"#, "coupons"),
            (r#"{"coupons":"SUMMER"}"#, "coupons"),
            (r#"{"coupons":[1]}"#, "coupons"),
            (r#"{"items":{}}"#, "items"),
            (r#"{"items":["x"]}"#, "items"),
            (r#"{"items":[{"sku":"S","quantity":1}]}"#, "price"),
            (r#"{"items":[{"quantity":1,"price":"1"}]}"#, "sku"),
            (r#"{"items":[{"sku":"S","price":"1"}]}"#, "quantity"),
            (
                r#"{"items":[{"sku":"S","quantity":0,"price":"1"}]}"#,
                "quantity",
            ),
            (
                r#"{"items":[{"sku":"S","quantity":1.5,"price":"1"}]}"#,
                "quantity",
            ),
            (
                r#"{"items":[{"sku":"S","quantity":1,"price":"1","discount":"1.01"}]}"#,
                "discount",
            ),
            (
                r#"{"items":[{"sku":"S","quantity":1,"price":"1","colour":"red"}]}"#,
                "colour",
            ),
            (
                r#"{"subtotal":"2","currency":"EUR","items":[{"sku":"S","quantity":1,"price":"1"}]}"#,
                "items",
            ),
            (
                r#"{"orderTotal":"5","subtotal":"4","currency":"EUR"}"#,
                "orderTotal",
            ),
            (
                r#"{"orderTotal":"5","subtotal":"5","tax":"0.01","currency":"EUR"}"#,
                "orderTotal",
            ),
            (r#"{"total":"5"}"#, "total"),
        ] {
            let error = query(order).unwrap_err();
            assert_eq!(error.parameter(), Some(parameter), "{order}: {error}");
        }
    }

    #[test]
    fn a_total_without_its_parts_is_taken_as_it_is() {
        for order in [
            r#"{"orderTotal":"5","currency":"EUR"}"#,
            r#"{"orderTotal":"5","tax":"1","currency":"EUR"}"#,
            r#"{"orderTotal":"5","subtotal":"4","tax":"1","currency":"EUR"}"#,
            r#"{"orderTotal":"9","currency":"EUR","items":[{"sku":"S","quantity":1,"price":"1"}]}"#,
        ] {
            assert!(query(order).is_ok(), "{order}");
        }
    }
}
