//! Pixels and server postbacks of advertisers: `/p.ashx?o=…&r=…&t=…&f=…`,
//! without an API key.

use super::Network;
use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan, Rows, Stop, Write};
use super::postback::Audience;
use super::query::Query;
use super::record_conversion::{Asked, Recorded, Refusal, first_events};
use super::row::FiredRow;
use crate::url;

/// The forms of an answer: the pixel's `f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Server,
    Image,
    JavaScript,
    Iframe,
}

impl Form {
    fn audience(self) -> Audience {
        match self {
            Self::Server => Audience::Nobody,
            Self::Image => Audience::Image,
            Self::JavaScript | Self::Iframe => Audience::Page,
        }
    }
}

impl Network {
    /// Records the conversion and answers in the pixel's form: `SUCCESS` for a server, a one-pixel
    /// image, a script or a page. The answer also carries the affiliate's browser postbacks.
    pub(super) fn pixel(&self, call: &IncomingRequest, rows: &Rows) -> Decided<Plan> {
        if call.method != "GET" {
            return Err(Stop::Say(HttpAnswer::text(405, "Method Not Allowed")));
        }
        let query = Query(url::query_of(&call.url));
        let form = match query.text("f").as_deref() {
            Some("pb") => Form::Server,
            Some("img") => Form::Image,
            Some("js") => Form::JavaScript,
            _ => Form::Iframe,
        };
        match self.converted(call, rows, query, form) {
            Ok((recorded, fired)) => {
                let answer = rendered(form, Ok(()), &fired);
                let row = match recorded {
                    Recorded::New(row) => Some(Write::Conversion(row)),
                    Recorded::Before(_) => None,
                };
                Ok(Plan {
                    writes: row
                        .into_iter()
                        .chain(fired.into_iter().map(Write::Fired))
                        .collect(),
                    answer,
                })
            }
            Err(Refusal::Stop(stop)) => Err(stop),
            Err(Refusal::Message(message)) => Ok(rendered(form, Err(&message), &[]).into()),
        }
    }

    fn converted(
        &self,
        call: &IncomingRequest,
        rows: &Rows,
        query: Query<'_>,
        form: Form,
    ) -> Result<(Recorded, Vec<FiredRow>), Refusal> {
        let refuse = |message: &str| Err(Refusal::Message(message.to_owned()));
        let Some(click_id) = query.text("r") else {
            return refuse("r is required: the click id");
        };
        let unique_id = query.text("t");
        if unique_id
            .as_deref()
            .is_some_and(|id| id == "TRANSACTION_ID" || id.contains('@'))
        {
            return refuse("Invalid t: a placeholder or an e-mail address is no transaction id");
        }
        let Some(click) = rows.click(&click_id)? else {
            return refuse("Invalid r");
        };
        let offer = self.fixture.offer(click.offer_id).filter(|offer| {
            match (query.number("o"), query.number("a")) {
                (Some(offer_id), _) => offer_id == offer.offer_id,
                (None, Some(advertiser_id)) => offer.advertiser_id == Some(advertiser_id),
                (None, None) => false,
            }
        });
        let Some(offer) = offer else {
            return refuse("Invalid o");
        };
        let asked = Asked {
            payout: query.text("ap"),
            revenue: query.text("p"),
            unique_id,
            event_id: query.number("e"),
            order_total: query.text("ect"),
            currency: query.text("eccu").map(|code| code.to_ascii_uppercase()),
            coupons: query.text("ecc"),
            udid: query.text("udid"),
            ..Asked::default()
        };
        if let Some(total) = &asked.order_total {
            crate::money::Money::parse("ect", total)?;
        }
        let recorded = self.record(call, rows, click, offer, asked)?;
        let fired = match &recorded {
            Recorded::New(row) => {
                self.fired(call, rows, click, row, first_events(row), form.audience())?
            }
            Recorded::Before(_) => Vec::new(),
        };
        Ok((recorded, fired))
    }
}

/// A transparent GIF of one pixel, in base64.
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

fn rendered(form: Form, outcome: Result<(), &str>, fired: &[FiredRow]) -> HttpAnswer {
    let in_browser = || fired.iter().filter(|row| row.state == "in_browser");
    let mut answer = match form {
        Form::Server => HttpAnswer::text(
            200,
            &match outcome {
                Ok(()) => "SUCCESS".to_owned(),
                Err(message) => format!("FAILURE: {message}"),
            },
        ),
        Form::Image => match in_browser().next() {
            Some(row) => HttpAnswer::redirect(row.url.clone()),
            None => HttpAnswer {
                is_base64: true,
                ..HttpAnswer::new(200, "image/gif", GIF)
            },
        },
        Form::JavaScript => {
            let markup: String = in_browser().map(markup).collect();
            let text = serde_json::to_string(&markup)
                .unwrap_or_default()
                // JSON allows an unescaped `<`, but in a page it can end a script.
                .replace('<', "\\u003c");
            let script = if markup.is_empty() {
                String::new()
            } else {
                format!(
                    "(function(){{var r=document.createRange(),d=document.createElement(\"div\");d.hidden=true;d.appendChild(r.createContextualFragment({text}));document.body.appendChild(d)}})();"
                )
            };
            HttpAnswer::new(200, "text/javascript; charset=utf-8", script)
        }
        Form::Iframe => {
            let markup: String = in_browser().map(markup).collect();
            HttpAnswer::new(
                200,
                "text/html; charset=utf-8",
                format!("<!DOCTYPE html><title>Conversion</title>{markup}"),
            )
        }
    };
    if !answer
        .headers
        .iter()
        .any(|(name, _)| *name == "cache-control")
    {
        answer
            .headers
            .push(("cache-control", "no-store".to_owned()));
    }
    answer
}

/// The element with which a browser fetches a postback.
fn markup(row: &FiredRow) -> String {
    let mut url = String::with_capacity(row.url.len());
    crate::pixel::push_escaped(&mut url, &row.url);
    match row.postback_type.as_str() {
        "iFrame" => format!(r#"<iframe src="{url}" width="1" height="1" hidden></iframe>"#),
        "JavaScript" => format!(r#"<script src="{url}"></script>"#),
        _ => format!(r#"<img src="{url}" width="1" height="1" alt="">"#),
    }
}
