//! The postbacks of an event: which ones fire, their content, and their channel.

use super::fixture::{Postback, PostbackEvent};
use super::plan::{Decided, IncomingRequest, Rows};
use super::row::{ClickRow, ConversionRow, FiredRow, PostbackRow};
use super::settings::Settings;
use super::{Network, address};
use crate::macros::expand;

/// The receiver of the answer to the request that fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// A server: the answer cannot carry a postback.
    Nobody,
    /// An image element: the answer can redirect to one other image.
    Image,
    /// A page: the answer can carry any markup.
    Page,
}

/// CAKE's word for a `postback_type_id`. The article shows `Server`; the other words are those of
/// CAKE's table *(inference)*.
pub(super) fn type_word(postback_type_id: u64) -> Option<&'static str> {
    match postback_type_id {
        1 => Some("Server"),
        2 => Some("iFrame"),
        3 => Some("Image"),
        4 => Some("JavaScript"),
        _ => None,
    }
}

/// A postback from the fixture or the API.
struct Target<'a> {
    postback_id: u64,
    url: &'a str,
    type_id: u64,
}

impl Network {
    /// The log rows for the events of `conversion`: one row for each active postback of its
    /// affiliate. A postback that listens to several of the `events` fires once.
    pub(super) fn fired(
        &self,
        call: &IncomingRequest,
        rows: &Rows,
        click: &ClickRow,
        conversion: &ConversionRow,
        events: &[PostbackEvent],
        audience: Audience,
    ) -> Decided<Vec<FiredRow>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let created = rows.postbacks(conversion.affiliate_id)?;
        let is_about = |affiliate_id: u64, offer_id: u64| {
            affiliate_id == conversion.affiliate_id
                && (offer_id == 0 || offer_id == conversion.offer_id)
        };
        let ours = self
            .fixture
            .postbacks
            .iter()
            .zip(1..)
            .filter(|(postback, _)| {
                is_about(postback.affiliate_id, postback.offer_id)
                    && postback.postback_status.word() == "active"
            })
            .filter_map(|(postback, postback_id): (&Postback, u64)| {
                let event = events.iter().find(|e| postback.fires_on.contains(e))?;
                let target = Target {
                    postback_id,
                    url: &postback.postback_url,
                    type_id: postback.postback_type_id,
                };
                Some((target, *event))
            });
        // CAKE's Create Postback has no field for the event: it fires on conversion *(inference)*.
        let theirs = created
            .iter()
            .filter(|row| {
                is_about(row.affiliate_id, row.offer_id)
                    && row.postback_status == "active"
                    && events.contains(&PostbackEvent::Conversion)
            })
            .map(|row: &PostbackRow| {
                let target = Target {
                    postback_id: row.postback_id,
                    url: &row.postback_url,
                    type_id: row.postback_type_id,
                };
                (target, PostbackEvent::Conversion)
            });
        let mut has_image = false;
        Ok(ours
            .chain(theirs)
            .zip(call.next.fired..)
            .map(|((target, event), fired_id)| {
                let url = self.filled(call, target.url, click, conversion);
                let is_allowed = address::is_allowed(&self.allowed_hosts, &url);
                let state = match (is_allowed, target.type_id, audience) {
                    (false, ..) => "refused",
                    (true, 1, _) => "due",
                    (true, _, Audience::Page) => "in_browser",
                    (true, 3, Audience::Image) if !has_image => {
                        has_image = true;
                        "in_browser"
                    }
                    _ => "undeliverable",
                };
                FiredRow {
                    fired_id,
                    postback_id: target.postback_id,
                    conversion_id: conversion.conversion_id,
                    event: event.word().to_owned(),
                    postback_type: type_word(target.type_id).unwrap_or("Server").to_owned(),
                    url,
                    state: state.to_owned(),
                    at_ms: call.now_ms,
                    next_ms: (state == "due").then_some(call.now_ms),
                    ..FiredRow::default()
                }
            })
            .collect())
    }

    /// A postback URL with its macros expanded; a path is completed with the own origin.
    fn filled(
        &self,
        call: &IncomingRequest,
        template: &str,
        click: &ClickRow,
        conversion: &ConversionRow,
    ) -> String {
        let url = expand(template, |name| match name {
            "price" => Some(conversion.payout.clone()),
            "status" => Some(conversion.conversion_status.clone()),
            "tid" => Some(conversion.unique_id.clone().unwrap_or_default()),
            "leadid" => Some(conversion.conversion_id.to_string()),
            "ip" | "sourceip" => Some(click.ip_address.clone().unwrap_or_default()),
            "utcunixtime" => Some((call.now_ms / 1_000).to_string()),
            "sourcetime" => Some(conversion.conversion_date.clone()),
            other => self.token(click, other),
        });
        if url.starts_with('/') {
            address::origin_of(&call.url).unwrap_or_default().to_owned() + &url
        } else {
            url
        }
    }
}

impl Network {
    /// The log row after an attempt with the answer `status`, or without an answer.
    #[must_use]
    pub(crate) fn attempted(&self, row: FiredRow, status: Option<u16>, now_ms: u64) -> FiredRow {
        attempted(row, status, now_ms, &self.settings)
    }
}

/// The log row after an attempt. Any 2xx means delivered. Otherwise the row is due again by the
/// schedule, and failed at the end of the schedule. A redirect is not followed and counts as a
/// failure.
fn attempted(mut row: FiredRow, status: Option<u16>, now_ms: u64, settings: &Settings) -> FiredRow {
    let wait = usize::try_from(row.attempts)
        .ok()
        .and_then(|attempts| settings.retry_ms.get(attempts));
    row.attempts += 1;
    row.status = status;
    row.answered_ms = Some(now_ms);
    (row.state, row.next_ms) = match (status, wait) {
        (Some(200..=299), _) => ("delivered".to_owned(), None),
        (_, Some(wait)) => ("due".to_owned(), Some(now_ms + wait)),
        (_, None) => ("failed".to_owned(), None),
    };
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postback_is_sent_again_until_the_schedule_ends() {
        let settings = Settings {
            retry_ms: vec![100, 200],
            ..Settings::default()
        };
        let mut row = FiredRow::default();
        let mut waits = Vec::new();
        for _ in 0..3 {
            row = attempted(row, Some(302), 1_000, &settings);
            waits.push(row.next_ms.map(|at| at - 1_000));
        }
        assert_eq!(waits, [Some(100), Some(200), None]);
        assert_eq!((row.state.as_str(), row.attempts), ("failed", 3));
        let row = attempted(FiredRow::default(), Some(204), 5, &settings);
        assert_eq!(
            (row.state.as_str(), row.answered_ms),
            ("delivered", Some(5))
        );
    }
}
