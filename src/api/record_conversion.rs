//! Record Conversion: `GET /api/2/conversion.json`, a GET with a side effect.

use super::answer::record::Record;
use super::asked::{Asked, is_same_unique_id};
use super::certainty::{is_duplicate, is_duplicate_in_words};
use super::contents::Contents;
use super::conversion_report::ReportedConversion;
use super::get_click::Click;
use super::json::parse_id;
use super::unread::Unread;
use super::{Account, Answer, Request, commerce, dress, message, params};
use crate::{Error, Result, click_id};
use serde::Serialize;

/// The parameters, as callers write them in camelCase, checked. Amounts and times have the spelling
/// that is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Params {
    /// The click id that was captured at click time.
    pub click_id: String,
    /// The offer that the conversion belongs to.
    pub(crate) offer_id: u64,
    /// Overrides the affiliate's payout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout: Option<String>,
    /// Overrides the advertiser's revenue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<String>,
    /// The time, in the account's civil time: `YYYY-MM-DD HH:MM:SS`. CAKE's default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion_date: Option<String>,
    /// The advertiser's own transaction id: CAKE's only handle for deduplication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    /// The advertiser's order reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
    /// Free for the advertiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adv1: Option<String>,
    /// Free for the advertiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adv2: Option<String>,
    /// Free for the advertiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adv3: Option<String>,
    /// Free for the advertiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adv4: Option<String>,
    /// Free for the advertiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adv5: Option<String>,
}

const NAMES: [&str; 12] = [
    "clickId",
    "offerId",
    "payout",
    "revenue",
    "conversionDate",
    "uniqueId",
    "orderId",
    "adv1",
    "adv2",
    "adv3",
    "adv4",
    "adv5",
];

impl Params {
    /// Reads and checks a caller's JSON object. An amount is text such as `"18.00"`, or a number.
    /// The number's digits count, not its binary fraction.
    ///
    /// # Errors
    /// [`crate::Error::InvalidField`], also for an unknown parameter;
    /// [`crate::Error::InvalidClickId`], [`crate::Error::InvalidId`],
    /// [`crate::Error::InvalidMoney`], [`crate::Error::InvalidTime`],
    /// [`crate::Error::InvalidUniqueId`], [`crate::Error::InvalidText`].
    pub(crate) fn read(text: &str) -> Result<Self> {
        let fields = params::Params::read(text, &NAMES)?;
        click_id::check(&fields.required_text("clickId")?)?;
        Self::from_fields(&fields)
    }

    /// Like [`Params::read`], for a click id that may come from elsewhere: it is checked, and empty
    /// where there is none. An empty optional field counts as absent. Also returns the other data
    /// that `p.ashx` takes: the event's id, and an order as a query; see [`commerce::query`].
    ///
    /// # Errors
    /// Those of [`Params::read`], except for a missing click id, and those of [`commerce::query`].
    pub(crate) fn read_with_order(text: &str) -> Result<(Self, Option<u64>, Option<String>)> {
        let mut names = NAMES.to_vec();
        names.push("eventId");
        names.extend(commerce::NAMES);
        let fields = params::Params::read(text, &names)?.without_empty(&["uniqueId"]);
        let params = Self::from_fields(&fields)?;
        if !params.click_id.is_empty() {
            click_id::check(&params.click_id)?;
        }
        let order = commerce::query_of(&fields)?;
        let order = Some(order).filter(|order| !order.is_empty());
        Ok((params, fields.id("eventId")?, order))
    }

    /// Reads the stored form of these parameters.
    ///
    /// # Errors
    /// Those of [`Params::read`].
    pub(crate) fn read_stored(text: &str) -> Result<(Self, Option<u64>, Option<String>)> {
        let mut names = NAMES.to_vec();
        names.extend(["eventId", "order"]);
        let fields = params::Params::read(text, &names)?;
        click_id::check(&fields.required_text("clickId")?)?;
        let params = Self::from_fields(&fields)?;
        Ok((params, fields.id("eventId")?, fields.text("order")?))
    }

    fn from_fields(fields: &params::Params<'_>) -> Result<Self> {
        Ok(Self {
            click_id: fields.text("clickId")?.unwrap_or_default(),
            offer_id: params::Params::required("offerId", fields.id("offerId")?)?,
            payout: fields.amount("payout")?,
            revenue: fields.amount("revenue")?,
            conversion_date: fields.time("conversionDate")?,
            unique_id: fields.reference("uniqueId")?,
            order_id: fields.reference("orderId")?,
            adv1: fields.free_text("adv1")?,
            adv2: fields.free_text("adv2")?,
            adv3: fields.free_text("adv3")?,
            adv4: fields.free_text("adv4")?,
            adv5: fields.free_text("adv5")?,
        })
    }
}

/// A recorded conversion. Serializes in camelCase, amounts as `payoutText` and
/// `revenueText`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversion {
    /// CAKE's id of the conversion. It is absent where CAKE says that it has the conversion, and not as which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_id: Option<u64>,
    /// The offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offer_id: Option<u64>,
    /// The affiliate who is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) affiliate_id: Option<i64>,
    /// The click that converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) click_id: Option<String>,
    /// The affiliate's payout, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payout_text: Option<String>,
    /// The amount that the advertiser pays, exactly as CAKE wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revenue_text: Option<String>,
    /// The advertiser's transaction id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unique_id: Option<String>,
    /// The time, in the account's civil time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_date: Option<String>,
    /// `approved`, `pending`, `rejected`, `ignored`, `reversed` or a word that CAKE adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversion_status: Option<String>,
    /// The values in the answer that could not be read.
    #[serde(skip_serializing_if = "Unread::is_empty")]
    pub(crate) unread: Unread,
    /// Was CAKE's own answer lost, so that a later one tells of this conversion?
    pub(crate) is_recovered: bool,
}

impl Conversion {
    /// The conversion that Get Click shows, where CAKE's answer was lost.
    pub(super) fn recovered(click: Click) -> Option<Self> {
        Some(Self {
            conversion_id: Some(click.conversion_id?),
            offer_id: click.offer_id,
            affiliate_id: click.affiliate_id,
            click_id: click.click_id,
            is_recovered: true,
            ..Self::default()
        })
    }
}

impl Conversion {
    /// The conversion of this id, where CAKE's answer was lost and a later one names it.
    pub(super) fn named(conversion_id: u64) -> Self {
        Self {
            conversion_id: Some(conversion_id),
            is_recovered: true,
            ..Self::default()
        }
    }

    /// The conversion that CAKE says it has, without its id.
    pub(super) fn known(unique_id: Option<String>) -> Self {
        Self {
            unique_id,
            is_recovered: true,
            ..Self::default()
        }
    }

    /// The conversion that the report shows, where CAKE's answer was lost.
    pub(super) fn reported(row: ReportedConversion) -> Option<Self> {
        Some(Self {
            conversion_id: Some(row.conversion_id?),
            offer_id: row.offer_id,
            affiliate_id: row.affiliate_id,
            click_id: row.click_id,
            payout_text: row.payout_text,
            revenue_text: row.revenue_text,
            unique_id: row.unique_id,
            conversion_date: row.conversion_date,
            conversion_status: row.conversion_status,
            unread: Unread::default(),
            is_recovered: true,
        })
    }
}

/// Builds the request, in the order of CAKE's article.
#[must_use]
pub(crate) fn request(account: &Account, params: &Params) -> Request {
    let mut request = account.get("conversion.json");
    request.parameter("click_id", &params.click_id);
    request.number("offer_id", Some(params.offer_id));
    for (name, value) in [
        ("payout", &params.payout),
        ("revenue", &params.revenue),
        ("conversion_date", &params.conversion_date),
        ("unique_id", &params.unique_id),
        ("order_id", &params.order_id),
        ("adv1", &params.adv1),
        ("adv2", &params.adv2),
        ("adv3", &params.adv3),
        ("adv4", &params.adv4),
        ("adv5", &params.adv5),
    ] {
        request.optional(name, value.as_deref());
    }
    request
}

/// Reads the answer to a conversion that was sent: the record under `conversion`, or one whose
/// `conversion_id` is in the envelope itself. .NET writes 0 for "none": a conversion's id is 1 or
/// more. An answer that names another click, offer or unique id is about something else, such as
/// an answer that a cache has kept. A field that is absent or empty contradicts nothing.
///
/// # Errors
/// Every error of an answer, see [`crate::Error`].
pub(crate) fn read_for(answer: &Answer<'_>, asked: Asked<'_>) -> Result<Conversion> {
    let (record, conversion_id) = read_record(answer, asked)?;
    let read = Conversion {
        conversion_id: Some(conversion_id),
        offer_id: record.offer_id(),
        affiliate_id: record.affiliate_id("affiliate_id"),
        click_id: record.identity("click_id"),
        payout_text: record.amount("payout"),
        revenue_text: record.amount("revenue"),
        unique_id: record.identity("unique_id"),
        conversion_date: dress::date(record.text("conversion_date")),
        conversion_status: dress::status(record.text("conversion_status")),
        unread: Unread::default(),
        is_recovered: false,
    };
    Ok(Conversion {
        unread: record.unread(),
        ..read
    })
}

/// Like [`read_for`], for the conversion's id alone.
///
/// # Errors
/// Those of [`read_for`].
pub(crate) fn read_id_for(answer: &Answer<'_>, asked: Asked<'_>) -> Result<u64> {
    Ok(read_record(answer, asked)?.1)
}

/// The record of an answer, checked, and its id.
fn read_record<'a, 'b>(answer: &'b Answer<'a>, asked: Asked<'_>) -> Result<(Record<'a, 'b>, u64)> {
    let envelope = match answer.open() {
        Ok(envelope) => envelope,
        Err(error) => return Err(read_no(answer, error, asked)),
    };
    let record = Record::of_answer(answer, envelope, "conversion", ID)?;
    if let Some(name) = record.two_faced() {
        return Err(answer.unexpected("says two things of its ", name));
    }
    let conversion_id = record.id(ID).ok_or_else(|| record.missing(ID))?;
    let contents = answer.contents(ID);
    contents.check_about(answer, asked)?;
    answer.check_yes(&contents)?;
    let is_own = is_own(&record, asked);
    match (&contents.repeat, &contents.unkept) {
        (None, Some(flag)) => Err(answer.unexpected("says yes, and that it is not kept: ", flag)),
        (Some(words), _) if !is_own => {
            Err(answer.unexpected("says yes, and that it was there before: ", words))
        }
        _ => Ok((record, conversion_id)),
    }
}

/// Has the record itself the unique id that was sent? Then it is this conversion's, whatever the words say: an account
/// may count one conversion a click, and answer the next order with the record of the first.
fn is_own(record: &Record<'_, '_>, asked: Asked<'_>) -> bool {
    asked.unique_id.is_some_and(|ours| {
        let told = ["unique_id", "transaction_id"]
            .iter()
            .filter_map(|name| record.get(name)?.text());
        told.into_iter().any(|told| is_same_unique_id(&told, ours))
    })
}

/// The name of a record's id.
const ID: &str = "conversion_id";

/// The reading of a no to a conversion. A no beside a yes or a record is unknown, also one that says
/// "this transaction is a duplicate". Other errors beside these words are told with them.
pub(crate) fn read_no(answer: &Answer<'_>, error: Error, asked: Asked<'_>) -> Error {
    match read_duplicate(answer, &error, asked) {
        Ok(Duplicate::Another(words)) => {
            let error = answer.contradicted(error, ID);
            answer.with_words(error, &words)
        }
        Ok(_) => answer.contradicted(error, ID),
        Err(other) => other,
    }
}

/// What a no to a conversion says of the same transaction before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Duplicate {
    /// The transaction was recorded before: as this conversion, where the answer names it.
    Before(Option<u64>),
    /// It has other errors beside the words: they prove nothing.
    Another(String),
    /// The answer says nothing of a duplicate.
    No,
}

/// Reads whether a no says "this transaction is a duplicate". After a request of unknown outcome
/// that proves that CAKE has recorded it. It is this transaction only where all that the answer
/// names is this event's, such as the record of the earlier request.
///
/// # Errors
/// [`crate::Error::UnexpectedAnswer`] where the answer is about another event, or several.
pub(crate) fn read_duplicate(
    answer: &Answer<'_>,
    error: &Error,
    asked: Asked<'_>,
) -> Result<Duplicate> {
    if !is_duplicate(error, asked.unique_id.unwrap_or_default()) {
        return Ok(Duplicate::No);
    }
    read_before(answer, &answer.contents(ID), asked)
}

/// Reads which transaction an answer is about that says "this transaction is a duplicate".
fn read_before(answer: &Answer<'_>, contents: &Contents, asked: Asked<'_>) -> Result<Duplicate> {
    let unique_id = asked.unique_id.unwrap_or_default();
    contents.check_about(answer, asked)?;
    if contents.records.len() > 1 {
        return Err(answer.unexpected("has several records: ", answer.body()));
    }
    let is_other =
        |words: &&String| !message::is_generic(words) && !is_duplicate_in_words(words, unique_id);
    Ok(match contents.words().find(is_other) {
        Some(words) => Duplicate::Another(words.clone()),
        None => Duplicate::Before(contents.records.first().and_then(|id| parse_id(id))),
    })
}

/// The conversion of an earlier request whose outcome was unknown, by an answer that says "this
/// transaction is a duplicate", also beside a yes.
pub(crate) fn find_duplicate(answer: &Answer<'_>, asked: Asked<'_>) -> Duplicate {
    let before = match answer.open() {
        Ok(_) => {
            let contents = answer.contents(ID);
            let unique_id = asked.unique_id.unwrap_or_default();
            let mut words = contents.words();
            if contents.no.is_some() || !words.any(|words| is_duplicate_in_words(words, unique_id))
            {
                return Duplicate::No;
            }
            read_before(answer, &contents, asked)
        }
        Err(error) => read_duplicate(answer, &error, asked),
    };
    before.unwrap_or(Duplicate::No)
}
