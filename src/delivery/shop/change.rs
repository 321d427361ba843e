//! What a shop says of a sale now, set against the corrections that came before. What was taken back
//! is put back where the shop puts it back, and a state that is out of date changes nothing.

use crate::api::json::{Object, Value, parse_integer};
use crate::api::older::correction::Params;
use crate::delivery::Event;
use crate::money::Money;
use crate::{Error, Result};
use serde::Serialize;

/// How a correction stands to the corrections before it. Crosses to JavaScript and back as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// The start of the ids of all corrections with this cause: an order, a charge, a dispute.
    pub(crate) family: String,
    /// The time of the state, in milliseconds since 1970.
    pub(crate) as_of_ms: u64,
    /// Does it only put back what its cause has taken?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) restores: bool,
    /// What is taken off the revenue before it; all of it ends the sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken: Option<String>,
    /// What comes back of all that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) given_back: Option<String>,
}

/// The state of a conversion after its corrections.
#[derive(Clone, Debug, Default)]
struct State {
    is_returned: bool,
    /// The revenue, where a correction has set it.
    revenue: Option<String>,
}

impl State {
    fn after<'a>(corrections: impl Iterator<Item = &'a Params>) -> Self {
        corrections.fold(Self::default(), |mut state, each| {
            if let Some(status) = &each.status {
                state.is_returned = matches!(status.as_str(), "returned" | "rejected");
            }
            if each.revenue.is_some() {
                state.revenue.clone_from(&each.revenue);
            } else if let (Some(revenue), Some(added)) = (&state.revenue, &each.revenue_added) {
                state.revenue = added
                    .strip_prefix('-')
                    .and_then(|taken| less(revenue, taken));
            }
            state
        })
    }
}

impl Change {
    /// Reads what [`super::Refund`] wrote.
    ///
    /// # Errors
    /// [`Error::Internal`], which no webhook can cause.
    pub(crate) fn read(json: &str) -> Result<Self> {
        let fields = Object::read(json).ok_or(Error::Internal)?;
        let text = |name| fields.get(name).and_then(Value::string);
        let as_of_ms = fields.get("asOfMs").and_then(Value::number);
        Ok(Self {
            family: text("family").ok_or(Error::Internal)?,
            as_of_ms: as_of_ms.and_then(parse_integer).ok_or(Error::Internal)?,
            restores: fields.get("restores").is_some_and(Value::is_true),
            taken: text("taken"),
            given_back: text("givenBack"),
        })
    }

    /// The correction that makes the conversion what the shop says, as a canonical text; `None`
    /// where it is that already, or the shop has said something newer.
    ///
    /// `conversion` is its canonical text, or empty where it is not known. `earlier` are the
    /// canonical texts of its corrections, in the order of their acceptance.
    ///
    /// # Errors
    /// [`Error::Internal`] for a text that is none.
    pub(crate) fn settle(
        &self,
        conversion: &str,
        earlier: &[String],
        correction: &str,
    ) -> Result<Option<String>> {
        let sold = if conversion.is_empty() {
            None
        } else {
            let event = Event::from_text(conversion)?;
            let revenue = event.params().revenue.as_deref();
            revenue.and_then(|revenue| super::settings::from_units(units(revenue)?))
        };
        let earlier: Vec<Params> = earlier
            .iter()
            .map(|text| Params::read_with_id(text))
            .collect::<Result<_>>()?;
        let mut wanted = Params::read_with_id(correction)?;
        let is_own = |each: &&Params| self.is_own(each);
        let has_own = earlier.iter().any(|each| self.is_own(each));
        let is_newer = |each: &Params| as_of(each).is_some_and(|as_of| as_of > self.as_of_ms);
        if earlier.iter().filter(is_own).any(is_newer) || self.restores && !has_own {
            return Ok(None);
        }
        let others = State::after(earlier.iter().filter(|each| !self.is_own(each)));
        let now = State::after(earlier.iter());
        let before = others.revenue.or_else(|| sold.clone());
        let (is_returned, revenue) = if let Some(given) = &self.given_back {
            let left = if now.is_returned {
                Some("0".to_owned())
            } else {
                now.revenue.clone()
            };
            let sum = left.and_then(|left| more(&left, given));
            // A refund that came back cannot make the sale larger than it was.
            let is_above = sum.as_deref().zip(before.as_deref());
            let is_above = is_above.is_some_and(|(sum, most)| less(most, sum).is_none());
            (others.is_returned, if is_above { before } else { sum })
        } else if self.restores {
            (others.is_returned, wanted.revenue.take().or(before))
        } else if let Some(taken) = &self.taken {
            let left = before.and_then(|before| less(&before, taken));
            let left = left.filter(|left| units(left) != Some(0));
            (others.is_returned || left.is_none(), left)
        } else {
            let is_whole = wanted.status.as_deref() == super::RETURNED;
            (is_whole || others.is_returned, wanted.revenue.take())
        };
        let known = now.revenue.or(sold);
        wanted.status = (is_returned != now.is_returned).then(|| {
            let word = if is_returned {
                super::RETURNED
            } else {
                super::APPROVED
            };
            word.unwrap_or_default().to_owned()
        });
        wanted.revenue = revenue.filter(|revenue| known.as_ref() != Some(revenue));
        if wanted.status.is_none() && wanted.revenue.is_none() {
            return Ok(None);
        }
        serde_json::to_string(&wanted)
            .map(Some)
            .map_err(|_| Error::Internal)
    }

    fn is_own(&self, each: &Params) -> bool {
        let id = each.correction_id.as_deref().unwrap_or_default();
        id.strip_prefix(&*self.family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// The time that ends the id of a state.
fn as_of(correction: &Params) -> Option<u64> {
    let (_, digits) = correction.correction_id.as_deref()?.rsplit_once('-')?;
    // An amount in smallest units is no time.
    digits.parse().ok().filter(|_| digits.len() == 13)
}

fn units(amount: &str) -> Option<u64> {
    Money::parse("revenue", amount).ok().map(Money::units)
}

fn less(amount: &str, taken: &str) -> Option<String> {
    super::settings::from_units(units(amount)?.checked_sub(units(taken)?)?)
}

fn more(amount: &str, given: &str) -> Option<String> {
    super::settings::from_units(units(amount)?.checked_add(units(given)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALE: &str = r#"{"clickId":"a","offerId":1,"revenue":"30.00","uniqueId":"u"}"#;

    fn text(fields: &str) -> String {
        let text = [r#"{"offerId":1,"uniqueId":"u","#, fields, "}"].concat();
        serde_json::to_string(&Params::read_with_id(&text).unwrap()).unwrap()
    }

    /// `wanted` are the status and revenue of what is left to send.
    fn check(change: &str, earlier: &[&str], correction: &str, wanted: Option<(&str, &str)>) {
        let texts: Vec<_> = earlier.iter().map(|fields| text(fields)).collect();
        let read = Change::read(change).unwrap();
        let settled = read.settle(SALE, &texts, &text(correction)).unwrap();
        let params = settled.map(|settled| Params::read_with_id(&settled).unwrap());
        let shown = |value: &Option<String>| value.clone().unwrap_or_default();
        assert_eq!(
            params.map(|params| (shown(&params.status), shown(&params.revenue))),
            wanted.map(|(status, revenue)| (status.to_owned(), revenue.to_owned())),
            "{change} {earlier:?}"
        );
    }

    #[test]
    fn a_shop_puts_back_what_it_took_and_nothing_else() {
        let at =
            |ms: u64, more: &str| format!(r#"{{"family":"woocommerce-8","asOfMs":{ms}{more}}}"#);
        let restores = r#","restores":true"#;
        let whole = r#""correctionId":"woocommerce-8-approved-1781879400009","status":"approved","revenue":"30""#;
        let returned =
            r#""correctionId":"woocommerce-8-cancelled-1781879400005","status":"returned""#;
        let part = r#""correctionId":"woocommerce-8-refunded-1781879400005","revenue":"20""#;
        let own = r#""correctionId":"refund-4711","status":"returned""#;
        for (change, earlier, correction, wanted) in [
            (at(1_781_879_400_009, restores), &[][..], whole, None),
            (
                at(1_781_879_400_009, restores),
                &[returned],
                whole,
                Some(("approved", "")),
            ),
            (
                at(1_781_879_400_009, restores),
                &[part],
                whole,
                Some(("", "30.00")),
            ),
            (
                at(1_781_879_400_009, restores),
                &[part, returned],
                whole,
                Some(("approved", "30.00")),
            ),
            (
                at(1_781_879_400_009, restores),
                &[returned, whole],
                whole,
                None,
            ),
            // Out of date.
            (at(1_781_879_400_004, restores), &[returned], whole, None),
            (at(1_781_879_400_004, ""), &[whole], returned, None),
            (
                at(1_781_879_400_005, ""),
                &[],
                returned,
                Some(("returned", "")),
            ),
            (
                at(1_781_879_400_005, ""),
                &[returned],
                part,
                Some(("approved", "20.00")),
            ),
            // Somebody's own correction stays.
            (at(1_781_879_400_009, restores), &[own], whole, None),
            (
                at(1_781_879_400_009, restores),
                &[own, returned],
                whole,
                None,
            ),
            (at(1_781_879_400_005, ""), &[own], part, Some(("", "20.00"))),
            // An order with a longer number is another one.
            (
                at(1_781_879_400_009, restores),
                &[r#""correctionId":"woocommerce-80-cancelled-1","status":"returned""#],
                whole,
                None,
            ),
        ] {
            check(&change, earlier, correction, wanted);
        }
    }

    #[test]
    fn a_dispute_takes_its_part_and_gives_it_back() {
        let of = |more: &str| format!(r#"{{"family":"stripe-dispute-dp_1","asOfMs":1{more}}}"#);
        let lost = r#""correctionId":"stripe-dispute-dp_1","status":"returned""#;
        let won = r#""correctionId":"stripe-dispute-dp_1-won","status":"approved""#;
        let part = r#""correctionId":"stripe-dispute-dp_1","revenue":"25""#;
        let refund = r#""correctionId":"stripe-refund-ch_1-1000","revenue":"20""#;
        let gone = r#""correctionId":"stripe-refund-ch_1-3000","status":"returned""#;
        let restores = r#","restores":true"#;
        for (change, earlier, correction, wanted) in [
            (of(r#","taken":"5""#), &[][..], lost, Some(("", "25.00"))),
            (of(r#","taken":"5""#), &[refund], lost, Some(("", "15.00"))),
            (of(r#","taken":"30""#), &[], lost, Some(("returned", ""))),
            (of(r#","taken":"31""#), &[], lost, Some(("returned", ""))),
            (of(""), &[], lost, Some(("returned", ""))),
            (of(restores), &[lost], won, Some(("approved", ""))),
            (of(restores), &[part], won, Some(("", "30.00"))),
            (of(restores), &[refund, lost], won, Some(("approved", ""))),
            (of(restores), &[gone, lost], won, None),
            (of(restores), &[], won, None),
            (of(restores), &[lost, won], won, None),
        ] {
            check(&change, earlier, correction, wanted);
        }
    }

    #[test]
    fn a_refund_that_failed_comes_back_once_and_never_above_the_sale() {
        let failed = r#""correctionId":"stripe-refund-ch_1-failed-re_2","status":"approved""#;
        let first = r#""correctionId":"stripe-refund-ch_1-500","revenue":"25""#;
        let all = r#""correctionId":"stripe-refund-ch_1-3000","status":"returned""#;
        for (given, earlier, wanted) in [
            ("30", &[all][..], Some(("approved", ""))),
            ("25", &[first, all], Some(("approved", ""))),
            ("5", &[first, all], Some(("approved", "5.00"))),
            ("5", &[first], Some(("", "30.00"))),
            ("50", &[first], Some(("", "30.00"))),
            ("5", &[], None),
        ] {
            let change = format!(
                r#"{{"family":"stripe-refund-ch_1","asOfMs":1,"restores":true,"givenBack":"{given}"}}"#
            );
            check(&change, earlier, failed, wanted);
        }
    }
}
