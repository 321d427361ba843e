//! What a decision asks for and what it answers: needs, rows, plans.

use super::row::{ClickRow, ConversionRow, FiredRow, PostbackRow};
use serde::{Deserialize, Deserializer, Serialize};

/// A request, and what the rules cannot know by themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IncomingRequest {
    /// The HTTP method.
    pub(crate) method: String,
    /// The whole URL.
    pub(crate) url: String,
    /// The body of a POST.
    pub(crate) body: Option<String>,
    /// The values of `Sec-Purpose`, `Purpose`, `X-Purpose` and `X-Moz`, as far as
    /// the request has them.
    pub(crate) purposes: Vec<String>,
    /// The visitor's address.
    pub(crate) ip_address: Option<String>,
    /// The visitor's country, two letters.
    pub(crate) country: Option<String>,
    /// The network's time: milliseconds since 1970.
    pub(crate) now_ms: u64,
    /// A fresh UUID, for a network without a seed.
    pub(crate) fresh_id: String,
    /// The numbers that the next rows get.
    pub(crate) next: Numbers,
}

/// The numbers that the next rows get.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Numbers {
    /// Of clicks, from 1.
    pub(crate) click: u64,
    /// Of conversions.
    pub(crate) conversion: u64,
    /// Of postbacks that were set up.
    pub(crate) postback: u64,
    /// Of the log of fired ones.
    pub(crate) fired: u64,
}

/// A step of a decision.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Load this, and ask again with it.
    Need(Need),
    /// Do this.
    Plan(Plan),
}

/// Rows that a decision is made on. Their answer goes into [`Rows`] under the
/// need's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub(crate) enum Need {
    /// The click of this id, or null.
    Click {
        /// The click id.
        click_id: String,
    },
    /// The conversion of this key, or null.
    Duplicate {
        /// [`ConversionRow::dedupe_key`].
        dedupe_key: String,
    },
    /// The conversion of this id, or null.
    Conversion {
        /// The conversion's id.
        conversion_id: u64,
    },
    /// How many conversions match.
    Count {
        /// Which ones.
        filter: ConversionFilter,
    },
    /// The postbacks that the API set up for an affiliate.
    Postbacks {
        /// The affiliate.
        affiliate_id: u64,
    },
    /// A page of clicks.
    Clicks {
        /// Which ones.
        filter: ClickFilter,
    },
    /// A page of conversions.
    Conversions {
        /// Which ones.
        filter: ConversionFilter,
    },
}

/// Which clicks; in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ClickFilter {
    /// At this civil time or later.
    pub(crate) from: Option<String>,
    /// Before this civil time.
    pub(crate) before: Option<String>,
    /// Of this offer.
    pub(crate) offer_id: Option<u64>,
    /// Of this affiliate.
    pub(crate) affiliate_id: Option<u64>,
    /// How many to pass over.
    pub(crate) offset: u64,
    /// At most so many.
    pub(crate) limit: u64,
}

/// Which conversions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct ConversionFilter {
    /// At this civil time or later.
    pub(crate) from: Option<String>,
    /// Before this civil time.
    pub(crate) before: Option<String>,
    /// Changed at this civil time or later.
    pub(crate) updated_from: Option<String>,
    /// Only such as have been corrected or moved.
    pub(crate) is_corrected: Option<bool>,
    /// With this unique id.
    pub(crate) unique_id: Option<String>,
    /// Of one of these offers.
    pub(crate) offer_ids: Option<Vec<u64>>,
    /// Of this affiliate.
    pub(crate) affiliate_id: Option<u64>,
    /// In one of these statuses.
    pub(crate) statuses: Option<Vec<String>>,
    /// How many to pass over.
    pub(crate) offset: u64,
    /// At most so many.
    pub(crate) limit: u64,
    /// The column that they are sorted by; equal ones by id.
    pub(crate) sort: &'static str,
    /// The largest first.
    pub(crate) is_descending: bool,
    /// With every column.
    pub(crate) is_whole: bool,
}

/// A page of rows, and how many match in all.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RowPage<T> {
    /// The page.
    pub(crate) rows: Vec<T>,
    /// How many match in all.
    pub(crate) total: u64,
}

/// What was loaded so far: an absent field was not asked for yet.
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

/// A null was loaded, too.
#[allow(clippy::option_option, reason = "see `Rows`")]
fn loaded<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What to do: store the rows, all or none, then answer, then send what is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// The rows to store.
    pub(crate) writes: Vec<Write>,
    /// What to answer once they are stored.
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
    /// A conversion that was moved or corrected, in place of the one with its id.
    Changed(ConversionRow),
    /// A new postback.
    Postback(PostbackRow),
    /// A row of the log of fired postbacks, new or in place of the one with its number.
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
    /// Is the body base64 of bytes?
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
    /// This is the answer, and nothing is stored.
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
