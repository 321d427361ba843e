//! The types of a decision: needs, rows, plans.

use super::row::{ClickRow, ConversionRow, FiredRow, PostbackRow};
use serde::{Deserialize, Deserializer, Serialize};

/// A request, and the facts that the rules cannot know by themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IncomingRequest {
    /// The HTTP method.
    pub(crate) method: String,
    /// The whole URL.
    pub(crate) url: String,
    /// The body of a POST.
    pub(crate) body: Option<String>,
    /// The values of `Sec-Purpose`, `Purpose`, `X-Purpose` and `X-Moz`, where the request has them.
    pub(crate) purposes: Vec<String>,
    /// The visitor's address.
    pub(crate) ip_address: Option<String>,
    /// The visitor's country, two letters.
    pub(crate) country: Option<String>,
    /// The network's time: milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// A new UUID, for a network without a seed.
    pub(crate) fresh_id: String,
    /// The numbers for the next rows.
    pub(crate) next: Numbers,
}

/// The numbers for the next rows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Numbers {
    /// For clicks, from 1.
    pub(crate) click: u64,
    /// For conversions.
    pub(crate) conversion: u64,
    /// For the affiliates' postbacks.
    pub(crate) postback: u64,
    /// For the postback log.
    pub(crate) fired: u64,
}

/// A step of a decision.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Load these rows, and decide again with them.
    Need(Need),
    /// Carry out this plan.
    Plan(Plan),
}

/// Rows that a decision needs. The caller puts them into [`Rows`] under the need's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub(crate) enum Need {
    /// The click with this id, or null.
    Click {
        /// The click id.
        click_id: String,
    },
    /// The conversion with this key, or null.
    Duplicate {
        /// [`ConversionRow::dedupe_key`].
        dedupe_key: String,
    },
    /// The conversion with this id, or null.
    Conversion {
        /// The conversion's id.
        conversion_id: u64,
    },
    /// The number of matching conversions.
    Count {
        /// The filter.
        filter: ConversionFilter,
    },
    /// The postbacks that an affiliate has created through the API.
    Postbacks {
        /// The affiliate.
        affiliate_id: u64,
    },
    /// A page of clicks.
    Clicks {
        /// The filter.
        filter: ClickFilter,
    },
    /// A page of conversions.
    Conversions {
        /// The filter.
        filter: ConversionFilter,
    },
}

/// A filter of clicks; the rows come in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ClickFilter {
    /// At this civil time or later.
    pub(crate) from: Option<String>,
    /// Before this civil time.
    pub(crate) before: Option<String>,
    /// With this offer.
    pub(crate) offer_id: Option<u64>,
    /// With this affiliate.
    pub(crate) affiliate_id: Option<u64>,
    /// The number of rows to skip.
    pub(crate) offset: u64,
    /// The maximum number of rows.
    pub(crate) limit: u64,
}

/// A filter of conversions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ConversionFilter {
    /// At this civil time or later.
    pub(crate) from: Option<String>,
    /// Before this civil time.
    pub(crate) before: Option<String>,
    /// Changed at this civil time or later.
    pub(crate) updated_from: Option<String>,
    /// Only conversions that were corrected or moved.
    pub(crate) is_corrected: Option<bool>,
    /// With this unique id.
    pub(crate) unique_id: Option<String>,
    /// With one of these offers.
    pub(crate) offer_ids: Option<Vec<u64>>,
    /// With this affiliate.
    pub(crate) affiliate_id: Option<u64>,
    /// With one of these statuses.
    pub(crate) statuses: Option<Vec<String>>,
    /// The number of rows to skip.
    pub(crate) offset: u64,
    /// The maximum number of rows.
    pub(crate) limit: u64,
    /// The sort column; the id decides between equal values.
    pub(crate) sort: &'static str,
    /// Sort in descending order.
    pub(crate) is_descending: bool,
    /// With every column.
    pub(crate) is_whole: bool,
}

/// A page of rows, and the number of all matching rows.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RowPage<T> {
    /// The page.
    pub(crate) rows: Vec<T>,
    /// The number of all matching rows.
    pub(crate) total: u64,
}

/// The rows that are loaded so far: an absent field is not loaded yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(
    clippy::option_option,
    reason = "not asked for, asked for and not there, there"
)]
pub(crate) struct Rows {
    /// For [`Need::Click`].
    #[serde(deserialize_with = "loaded")]
    pub(crate) click: Option<Option<ClickRow>>,
    /// For [`Need::Duplicate`].
    #[serde(deserialize_with = "loaded")]
    pub(crate) duplicate: Option<Option<ConversionRow>>,
    /// For [`Need::Conversion`].
    #[serde(deserialize_with = "loaded")]
    pub(crate) conversion: Option<Option<ConversionRow>>,
    /// For [`Need::Count`].
    pub(crate) count: Option<u64>,
    /// For [`Need::Postbacks`].
    pub(crate) postbacks: Option<Vec<PostbackRow>>,
    /// For [`Need::Clicks`].
    pub(crate) clicks: Option<RowPage<ClickRow>>,
    /// For [`Need::Conversions`].
    pub(crate) conversions: Option<RowPage<ConversionRow>>,
}

/// Distinguishes a loaded null from an absent field.
#[allow(clippy::option_option, reason = "see `Rows`")]
fn loaded<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The result of a decision: store all the rows or none, then answer, then send the due postbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// The rows to store.
    pub(crate) writes: Vec<Write>,
    /// The answer, sent after the rows are stored.
    pub(crate) answer: HttpAnswer,
}

/// A row to store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "write", content = "row", rename_all = "snake_case")]
pub(crate) enum Write {
    /// A new click.
    Click(ClickRow),
    /// A new conversion.
    Conversion(ConversionRow),
    /// A moved or corrected conversion, which replaces the one with its id.
    Changed(ConversionRow),
    /// A new postback.
    Postback(PostbackRow),
    /// A row of the postback log: new, or a replacement of the one with its number.
    Fired(FiredRow),
}

/// An HTTP answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct HttpAnswer {
    /// The status.
    pub(crate) status: u16,
    /// Header names, in lower case, and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body as text.
    pub(crate) body: String,
    /// Is the body binary data in base64?
    pub(crate) is_base64: bool,
}

impl HttpAnswer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            is_base64: false,
        }
    }

    pub(super) fn json(body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).unwrap_or_default();
        Self::new(200, "application/json; charset=utf-8", body)
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    pub(super) fn redirect(location: String) -> Self {
        Self {
            status: 302,
            headers: vec![("location", location), ("cache-control", "no-store".into())],
            ..Self::default()
        }
    }
}

impl From<HttpAnswer> for Plan {
    fn from(answer: HttpAnswer) -> Self {
        Self {
            writes: Vec::new(),
            answer,
        }
    }
}

/// Why a decision stops before its plan.
#[derive(Debug)]
pub(super) enum Stop {
    /// Rows are missing.
    Need(Box<Need>),
    /// The final answer; nothing is stored.
    Say(HttpAnswer),
}

pub(super) type Decided<T> = Result<T, Stop>;

impl Rows {
    pub(super) fn click(&self, click_id: &str) -> Decided<Option<&ClickRow>> {
        self.click.as_ref().map(Option::as_ref).ok_or_else(|| {
            Stop::Need(Box::new(Need::Click {
                click_id: click_id.to_owned(),
            }))
        })
    }

    pub(super) fn duplicate(&self, dedupe_key: &str) -> Decided<Option<&ConversionRow>> {
        self.duplicate.as_ref().map(Option::as_ref).ok_or_else(|| {
            Stop::Need(Box::new(Need::Duplicate {
                dedupe_key: dedupe_key.to_owned(),
            }))
        })
    }

    pub(super) fn conversion(&self, conversion_id: u64) -> Decided<Option<&ConversionRow>> {
        self.conversion
            .as_ref()
            .map(Option::as_ref)
            .ok_or(Stop::Need(Box::new(Need::Conversion { conversion_id })))
    }

    pub(super) fn count(&self, filter: impl FnOnce() -> ConversionFilter) -> Decided<u64> {
        self.count
            .ok_or_else(|| Stop::Need(Box::new(Need::Count { filter: filter() })))
    }

    pub(super) fn postbacks(&self, affiliate_id: u64) -> Decided<&[PostbackRow]> {
        self.postbacks
            .as_deref()
            .ok_or(Stop::Need(Box::new(Need::Postbacks { affiliate_id })))
    }
}
