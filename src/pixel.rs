//! Pixel and postback URLs of the advertiser: `https://DOMAIN/p.ashx` records a conversion without
//! an API key.

use crate::error::IdRule;
use crate::host::Domain;
use crate::link::check_id;
use crate::money::Money;
use crate::url::{push_number, push_parameter};
use crate::{Error, Result, click_id, transaction_id};

/// The target of the conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// An offer: `o`.
    Offer(i64),
    /// All offers of an advertiser: `a`.
    Advertiser(i64),
}

/// The way in which the conversion is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Server to server: `f=pb`.
    #[default]
    Postback,
    /// An image: `f=img`.
    Image,
    /// A script: `f=js`.
    JavaScript,
    /// A frame: no `f`.
    Iframe,
}

/// The parts of a pixel's URL.
/// Offer 12345, click `a1b2-c3` and order `ORD-98765` make
/// `https://track.yournetwork.com/p.ashx?o=12345&r=a1b2-c3&t=ORD-98765&f=pb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pixel<'a> {
    /// The tracking domain.
    pub(crate) domain: Domain<'a>,
    /// The offer or advertiser: `o` or `a`.
    pub(crate) scope: Scope,
    /// The event: `e`.
    pub(crate) event_id: Option<i64>,
    /// The click id: `r`. In a browser it can be absent, because CAKE's cookie identifies the
    /// click.
    pub(crate) click_id: Option<&'a str>,
    /// The advertiser's own transaction id: `t`.
    pub(crate) transaction_id: Option<&'a str>,
    /// The amount received: `p`.
    pub(crate) price: Option<Money>,
    /// The affiliate's payout: `ap`.
    pub(crate) payout: Option<Money>,
    /// The shop's data about the order, as a query: see `api::commerce::query`.
    pub(crate) order: Option<&'a str>,
    /// The kind of report: `f`.
    pub(crate) format: Format,
}

impl<'a> Pixel<'a> {
    /// A server postback with only the parameters that CAKE requires.
    #[must_use]
    pub(crate) fn new(domain: Domain<'a>, scope: Scope) -> Self {
        Self {
            domain,
            scope,
            event_id: None,
            click_id: None,
            transaction_id: None,
            price: None,
            payout: None,
            order: None,
            format: Format::Postback,
        }
    }

    /// The URL.
    ///
    /// # Errors
    /// - [`Error::InvalidId`]
    /// - [`Error::InvalidClickId`], also for a server postback without a click id
    /// - [`Error::InvalidUniqueId`] for an invalid transaction id, such as an e-mail address
    /// - [`Error::PlaceholderText`] for a placeholder as click id or transaction id, such as
    ///   `undefined` and the manual's literal `TRANSACTION_ID`
    pub(crate) fn build(&self) -> Result<String> {
        let mut url = String::with_capacity(160);
        self.domain.push_origin(&mut url);
        url.push_str("/p.ashx?");
        let (name, parameter, id) = match self.scope {
            Scope::Offer(id) => ("o", "offerId", id),
            Scope::Advertiser(id) => ("a", "advertiserId", id),
        };
        push_id(&mut url, name, parameter, id)?;
        if let Some(id) = self.event_id {
            push_id(&mut url, "e", "eventId", id)?;
        }
        match self.click_id {
            Some(click_id) => {
                click_id::check(click_id)?;
                push_parameter(&mut url, "r", click_id);
            }
            // A server has no cookie of CAKE's that could identify the click.
            None if self.format == Format::Postback => {
                let rule = IdRule::Missing;
                return Err(Error::InvalidClickId { rule });
            }
            None => {}
        }
        if let Some(id) = self.transaction_id {
            push_parameter(&mut url, "t", transaction_id::check("transactionId", id)?);
        }
        for (name, amount) in [("p", self.price), ("ap", self.payout)] {
            if let Some(amount) = amount {
                push_parameter(&mut url, name, &amount.to_string());
            }
        }
        if let Some(order) = self.order.filter(|order| !order.is_empty()) {
            url.push('&');
            url.push_str(order);
        }
        url.push_str(match self.format {
            Format::Postback => "&f=pb",
            Format::Image => "&f=img",
            Format::JavaScript => "&f=js",
            Format::Iframe => "",
        });
        Ok(url)
    }

    /// The HTML for a thank-you page; `None` for a server postback.
    ///
    /// # Errors
    /// Those of [`Pixel::build`].
    pub(crate) fn tag(&self) -> Result<Option<String>> {
        let (before, after) = match self.format {
            Format::Postback => return Ok(None),
            Format::Image => ("<img src=\"", "\" width=\"1\" height=\"1\" alt=\"\">"),
            Format::JavaScript => ("<script src=\"", "\"></script>"),
            Format::Iframe => (
                "<iframe src=\"",
                "\" width=\"1\" height=\"1\" title=\"\" hidden></iframe>",
            ),
        };
        let url = self.build()?;
        let mut tag = String::with_capacity(url.len() + 96);
        tag.push_str(before);
        push_escaped(&mut tag, &url);
        tag.push_str(after);
        Ok(Some(tag))
    }
}

fn push_id(url: &mut String, name: &str, parameter: &'static str, id: i64) -> Result<()> {
    check_id(parameter, id)?;
    push_parameter(url, name, "");
    push_number(url, id.unsigned_abs(), 10);
    Ok(())
}

/// Appends a text as an HTML attribute's value.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel() -> Pixel<'static> {
        Pixel {
            click_id: Some("abc"),
            ..Pixel::new(
                Domain::new("track.yournetwork.com").unwrap(),
                Scope::Offer(12345),
            )
        }
    }

    #[test]
    fn every_part_has_its_place() {
        let full = Pixel {
            scope: Scope::Advertiser(7),
            event_id: Some(3),
            transaction_id: Some("ORD-1"),
            price: Some(Money::parse("price", "22.5").unwrap()),
            payout: Some(Money::parse("payout", "18").unwrap()),
            ..pixel()
        };
        assert_eq!(
            full.build().unwrap(),
            "https://track.yournetwork.com/p.ashx?a=7&e=3&r=abc&t=ORD-1&p=22.50&ap=18.00&f=pb"
        );
    }

    #[test]
    fn each_format_has_its_tag() {
        let tag = |format| Pixel { format, ..pixel() }.tag().unwrap();
        assert_eq!(tag(Format::Postback), None);
        let url = "https://track.yournetwork.com/p.ashx?o=12345&amp;r=abc";
        assert_eq!(
            tag(Format::Image).unwrap(),
            format!("<img src=\"{url}&amp;f=img\" width=\"1\" height=\"1\" alt=\"\">")
        );
        assert_eq!(
            tag(Format::JavaScript).unwrap(),
            format!("<script src=\"{url}&amp;f=js\"></script>")
        );
        assert!(
            tag(Format::Iframe)
                .unwrap()
                .starts_with(&format!("<iframe src=\"{url}\" "))
        );
    }

    #[test]
    fn a_browsers_pixel_can_do_without_a_click_id_and_a_servers_cannot() {
        let without = Pixel {
            click_id: None,
            ..pixel()
        };
        let rule = IdRule::Missing;
        assert_eq!(without.build(), Err(Error::InvalidClickId { rule }));
        let image = Pixel {
            format: Format::Image,
            ..without
        };
        assert_eq!(
            image.build().unwrap(),
            "https://track.yournetwork.com/p.ashx?o=12345&f=img"
        );
    }

    #[test]
    fn slips_of_integrators_are_refused() {
        let with = |transaction_id| {
            Pixel {
                transaction_id: Some(transaction_id),
                ..pixel()
            }
            .build()
            .unwrap_err()
        };
        assert_eq!(with("TRANSACTION_ID").code(), "placeholder_text");
        assert_eq!(with("jane@example.com").code(), "invalid_unique_id");
        assert_eq!(with("").code(), "invalid_unique_id");
        let macro_left = Pixel {
            click_id: Some("#reqid#"),
            ..pixel()
        };
        let rule = IdRule::Alphabet;
        assert_eq!(macro_left.build(), Err(Error::InvalidClickId { rule }));
        let missing = Pixel {
            click_id: Some("undefined"),
            ..pixel()
        };
        assert_eq!(
            missing.build(),
            Err(Error::PlaceholderText {
                parameter: "clickId"
            })
        );
        let zero = Pixel {
            scope: Scope::Offer(0),
            ..pixel()
        };
        assert_eq!(
            zero.build(),
            Err(Error::InvalidId {
                parameter: "offerId"
            })
        );
        let event = Pixel {
            event_id: Some(-1),
            ..pixel()
        };
        assert_eq!(
            event.build(),
            Err(Error::InvalidId {
                parameter: "eventId"
            })
        );
    }

    #[test]
    fn html_is_escaped() {
        let mut out = String::new();
        push_escaped(&mut out, "<\"'&>x");
        assert_eq!(out, "&lt;&quot;&#39;&amp;&gt;x");
    }
}
