//! The way to CAKE: the API's Record Conversion, or `p.ashx`, which needs no key. The host comes
//! from the configuration alone.

use super::Event;
use crate::api::{Account, get_click, record_conversion};
use crate::host::Domain;
use crate::money::Money;
use crate::pixel::{Pixel, Scope};
use crate::{Error, Result};

/// Where conversions go.
#[derive(Clone, Debug)]
pub enum Route {
    /// CAKE's API.
    Api(Account),
    /// `https://DOMAIN/p.ashx`, by tracking domain; also a sandbox's origin on loopback.
    /// Corrections go to the account's older services, where there is an account.
    Pixel(String, Option<Account>),
}

impl Route {
    /// The API of an account, or `p.ashx` of a tracking domain, where conversions need no key.
    /// Corrections go to the account where both of its settings are given.
    ///
    /// # Errors
    /// Those of [`Account::new`] and of [`Self::pixel`].
    pub(crate) fn new(base_url: &str, api_key: &str, pixel_domain: Option<String>) -> Result<Self> {
        let Some(domain) = pixel_domain else {
            return Ok(Self::Api(Account::new(base_url, api_key)?));
        };
        let pixel = Self::pixel(&domain)?;
        if base_url.is_empty() || api_key.is_empty() {
            return Ok(pixel);
        }
        Ok(pixel.with_corrections(Account::new(base_url, api_key)?))
    }

    /// The route through `p.ashx` of a tracking domain.
    ///
    /// # Errors
    /// [`Error::InvalidDomain`].
    pub fn pixel(domain: &str) -> Result<Self> {
        // In lower case, as every spelling of it is the same account.
        let domain = domain_of(domain)?.as_str().to_owned();
        Ok(Self::Pixel(domain, None))
    }

    /// The same route with an account for corrections.
    #[must_use]
    pub(crate) fn with_corrections(self, account: Account) -> Self {
        match self {
            Self::Pixel(domain, _) => Self::Pixel(domain, Some(account)),
            api @ Self::Api(_) => api,
        }
    }

    /// The account whose older services take corrections, if there is one.
    pub(crate) fn older(&self) -> Option<&Account> {
        match self {
            Self::Api(account) => Some(account),
            Self::Pixel(_, account) => account.as_ref(),
        }
    }

    /// The text that tells this account's conversions from another's.
    #[must_use]
    pub(crate) fn account(&self) -> &str {
        match self {
            Self::Api(account) => account.origin(),
            Self::Pixel(domain, _) => domain,
        }
    }

    /// The URL that records `event`, with the key where there is one; it goes to `fetch` alone.
    /// `accepted_at` is the civil time of acceptance, which counts unless the caller gave a date.
    /// It is empty where the account's time zone is unknown. `p.ashx` takes no date, no order id
    /// and no `adv1` … `adv5`; it alone takes an event's id and an order. An event may have been accepted for the other
    /// way to CAKE.
    ///
    /// # Errors
    /// Those of [`Pixel::build`]; [`Error::InvalidField`] for a field that the API does not take.
    pub fn url(&self, event: &Event, accepted_at: &str) -> Result<String> {
        let params = event.params();
        match self {
            Self::Api(account) => {
                event.check_for_api()?;
                let request = if params.conversion_date.is_none() && !accepted_at.is_empty() {
                    let dated = record_conversion::Params {
                        conversion_date: Some(accepted_at.to_owned()),
                        ..params.clone()
                    };
                    record_conversion::request(account, &dated)
                } else {
                    record_conversion::request(account, params)
                };
                Ok(request.url_with_key())
            }
            Self::Pixel(domain, _) => {
                let id = i64::try_from(params.offer_id).map_err(|_| Error::Internal)?;
                let amount = |name, text: &Option<String>| {
                    text.as_deref()
                        .map(|text| Money::parse(name, text))
                        .transpose()
                };
                let event_id = event.event_id().map(i64::try_from).transpose();
                Pixel {
                    event_id: event_id.map_err(|_| Error::Internal)?,
                    order: event.order(),
                    click_id: Some(&params.click_id),
                    transaction_id: params.unique_id.as_deref(),
                    price: amount("revenue", &params.revenue)?,
                    payout: amount("payout", &params.payout)?,
                    ..Pixel::new(domain_of(domain)?, Scope::Offer(id))
                }
                .build()
            }
        }
    }

    /// The URL of Get Click; `None` where there is no API.
    #[must_use]
    pub(crate) fn lookup_url(&self, event: &Event) -> Option<String> {
        match self {
            Self::Api(account) => get_click::request(account, &event.params().click_id)
                .ok()
                .map(|request| request.url_with_key()),
            Self::Pixel(..) => None,
        }
    }
}

fn domain_of(text: &str) -> Result<Domain<'_>> {
    Domain::new(text).or_else(|_| Domain::sandbox(text))
}

#[cfg(test)]
mod tests {
    use super::super::event::{Caller, RequestBody, read};
    use super::*;
    use proptest::prelude::*;

    fn event(body: &str) -> Event {
        let caller = Caller {
            is_signed: true,
            click_ids: "",
            is_pixel: true,
            latest: None,
        };
        match read(body, caller).unwrap() {
            RequestBody::One(event) => *event,
            RequestBody::Many(_) => panic!("several"),
        }
    }

    fn api() -> Route {
        Route::Api(Account::new("https://a.example", "KEY").unwrap())
    }

    #[test]
    fn the_date_of_acceptance_counts_unless_the_caller_gave_one() {
        let plain = event(r#"{"clickId":"a","offerId":1,"uniqueId":"u"}"#);
        let dated = event(
            r#"{"clickId":"a","offerId":1,"uniqueId":"u","conversionDate":"2026-06-19 14:30:00"}"#,
        );
        let url = |event, at| api().url(event, at).unwrap();
        assert!(
            url(&plain, "2026-06-20 00:00:01")
                .contains("conversion_date=2026-06-20%2000%3A00%3A01")
        );
        assert!(
            url(&dated, "2026-06-20 00:00:01")
                .contains("conversion_date=2026-06-19%2014%3A30%3A00")
        );
        assert!(!url(&plain, "").contains("conversion_date"));
    }

    #[test]
    fn the_pixel_needs_no_key_and_carries_what_it_can() {
        let route = Route::pixel("track.yournetwork.com").unwrap();
        let event = event(
            r#"{"clickId":"a","offerId":12345,"uniqueId":"u","payout":"18","revenue":"22.5","orderId":"o"}"#,
        );
        assert_eq!(
            route.url(&event, "2026-06-20 00:00:01").unwrap(),
            "https://track.yournetwork.com/p.ashx?o=12345&r=a&t=u&p=22.50&ap=18.00&f=pb"
        );
        assert_eq!(route.lookup_url(&event), None);
        let event = self::event(
            r#"{"clickId":"a","offerId":12345,"uniqueId":"u","eventId":7,"orderTotal":"22.5","currency":"EUR","coupons":["A","B"],"udid":"d"}"#,
        );
        assert_eq!(
            route.url(&event, "").unwrap(),
            "https://track.yournetwork.com/p.ashx?o=12345&e=7&r=a&t=u&ect=22.50&eccu=EUR&ecc=A%5EB&udid=d&f=pb"
        );
    }

    #[test]
    fn no_spelling_of_an_address_is_a_way_to_cake() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "169.254.169.254",
            "10.0.0.1",
            "a.example@evil.example",
            "a.example/evil",
            "a.example?x",
            "a.example#x",
            "a.example\\evil",
            "",
            "a.example.",
            "１２７.0.0.1",
            "①.example",
            "a..example",
            "%31%32%37.0.0.1",
        ] {
            assert!(Route::pixel(host).is_err(), "{host}");
            let base_url = ["https://", host].concat();
            assert!(Account::new(&base_url, "KEY").is_err(), "{base_url}");
        }
        for base_url in [
            "http://a.example",
            "ftp://a.example",
            "file:///etc",
            "//a.example",
            "http://10.0.0.1",
        ] {
            assert!(Account::new(base_url, "KEY").is_err(), "{base_url}");
        }
    }

    /// Drops zeros that change nothing, but keeps two places.
    fn spelt(name: &'static str, amount: &str) -> String {
        let spelt = Money::parse(name, amount).unwrap().to_string();
        let (whole, fraction) = spelt.split_once('.').unwrap();
        format!("{whole}.{:0<2}", fraction.trim_end_matches('0'))
    }

    proptest! {
        #[test]
        fn the_request_says_what_was_accepted(
            click_id in "[A-Za-z0-9._:-]{1,128}", unique_id in "[A-Za-z0-9._:-]{1,128}",
            offer_id in 1_u64..=crate::link::MAX_ID, adv in "\\PC{1,60}", payout in "(0|[1-9][0-9]{0,8})\\.[0-9]{2,4}",
            revenue in proptest::option::of("(0|[1-9][0-9]{0,8})\\.[0-9]{2,4}"),
        ) {
            let is_word = crate::placeholder::is_missing_value;
            prop_assume!(!is_word(&unique_id) && crate::click_id::check(&click_id).is_ok());
            prop_assume!(!crate::placeholder::lost::is_prefix(&unique_id));
            prop_assume!(!adv.chars().any(char::is_control));
            let body = serde_json::json!({
                "clickId": click_id, "offerId": offer_id, "uniqueId": unique_id, "adv5": adv,
                "payout": payout, "revenue": revenue,
            });
            let event = event(&body.to_string());
            let url = ::url::Url::parse(&api().url(&event, "")?)?;
            prop_assert_eq!(url.host_str(), Some("a.example"));
            prop_assert_eq!(url.path(), "/api/2/conversion.json");
            let mut expected = vec![
                ("api_key", "KEY".to_owned()), ("click_id", click_id), ("offer_id", offer_id.to_string()),
                ("payout", spelt("payout", &payout)),
            ];
            expected.extend(revenue.map(|revenue| ("revenue", spelt("revenue", &revenue))));
            expected.extend([("unique_id", unique_id), ("adv5", adv)]);
            let pairs: Vec<_> = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
            let expected: Vec<_> = expected.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
            prop_assert_eq!(pairs, expected);
        }
    }
}
