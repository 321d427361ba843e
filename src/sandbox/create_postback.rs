//! Create Postback: `POST /api/2/affiliate_postback.json`.

use super::plan::{Decided, HttpAnswer, IncomingRequest, Plan, Write};
use super::row::PostbackRow;
use super::{Network, address, postback};
use serde::{Deserialize, Serialize};

/// The body, in the article's words. Unknown fields are ignored.
#[derive(Deserialize)]
struct Body {
    api_key: Option<String>,
    affiliate_id: Option<u64>,
    offer_id: Option<u64>,
    postback_url: Option<String>,
    postback_status: Option<String>,
    postback_type_id: Option<u64>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    request_status: &'static str,
    postback: Created<'a>,
}

#[derive(Serialize)]
struct Created<'a> {
    postback_id: u64,
    affiliate_id: u64,
    offer_id: u64,
    postback_url: &'a str,
    postback_type: &'static str,
    postback_status: &'a str,
}

impl Network {
    pub(super) fn create_postback(&self, call: &IncomingRequest) -> Decided<Plan> {
        let text = call.body.as_deref().unwrap_or_default();
        let body: Option<Body> = serde_json::from_str(text).ok();
        let key = body.as_ref().and_then(|body| body.api_key.as_deref());
        self.open(call, "POST", key)?;
        let Some(body) = body else {
            return self.refuse("The body is not JSON");
        };
        let Some(affiliate_id) = body
            .affiliate_id
            .filter(|id| self.fixture.affiliate(*id).is_some())
        else {
            return self.refuse("Invalid affiliate_id");
        };
        let Some(offer_id) = body
            .offer_id
            .filter(|id| *id == 0 || self.fixture.offer(*id).is_some())
        else {
            return self.refuse("Invalid offer_id");
        };
        // The allow-list is checked when the postback fires.
        let Some(postback_url) = body
            .postback_url
            .filter(|url| address::is_page(url) && !url.starts_with('/'))
        else {
            return self.refuse("Invalid postback_url");
        };
        let postback_status = body.postback_status.unwrap_or_else(|| "active".to_owned());
        if !["active", "inactive"].contains(&postback_status.as_str()) {
            return self.refuse("Invalid postback_status");
        }
        let postback_type_id = body.postback_type_id.unwrap_or(1);
        let Some(postback_type) = postback::type_word(postback_type_id) else {
            return self.refuse("Invalid postback_type_id");
        };
        let row = PostbackRow {
            postback_id: call.next.postback,
            affiliate_id,
            offer_id,
            postback_url,
            postback_status,
            postback_type_id,
        };
        let answer = HttpAnswer::json(&Envelope {
            request_status: "Success",
            postback: Created {
                postback_id: row.postback_id,
                affiliate_id,
                offer_id,
                postback_url: &row.postback_url,
                postback_type,
                postback_status: &row.postback_status,
            },
        });
        Ok(Plan {
            writes: vec![Write::Postback(row)],
            answer,
        })
    }
}
