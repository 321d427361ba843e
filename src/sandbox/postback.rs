//! Which postbacks an event fires, with what in them, and by which way.

use super::fixture::{Event, Postback};
use super::plan::{Call, Decided, Rows};
use super::row::{ClickRow, ConversionRow, FiredRow, PostbackRow};
use super::{Network, outbound};
use crate::macros::expand;

/// Who reads the answer of the request that fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// A server: no postback can travel in the answer.
    Nobody,
    /// An image element: it can follow to one other image.
    Image,
    /// A page: it renders any markup.
    Page,
}

/// CAKE's word for a `postback_type_id`. The article shows `Server`; the others
/// are the table's words *(inference)*.
pub(super) fn type_word(postback_type_id: u64) -> Option<&'static str> {
    match postback_type_id {
        1 => Some("Server"),
        2 => Some("iFrame"),
        3 => Some("Image"),
        4 => Some("JavaScript"),
        _ => None,
    }
}

/// A postback of the fixture or of the API.
struct Target<'a> {
    postback_id: u64,
    url: &'a str,
    type_id: u64,
}

impl Network {
    /// The rows of the log for what happened to `conversion`: one for each active
    /// postback of its affiliate. A postback that tells of several of the
    /// `events` is fired once.
    pub(super) fn fired(
        &self,
        call: &Call,
        rows: &Rows,
        click: &ClickRow,
        conversion: &ConversionRow,
        events: &[Event],
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
        // CAKE's Create Postback has no word for when: on conversion *(inference)*.
        let theirs = created
            .iter()
            .filter(|row| {
                is_about(row.affiliate_id, row.offer_id)
                    && row.postback_status == "active"
                    && events.contains(&Event::Conversion)
            })
            .map(|row: &PostbackRow| {
                let target = Target {
                    postback_id: row.postback_id,
                    url: &row.postback_url,
                    type_id: row.postback_type_id,
                };
                (target, Event::Conversion)
            });
        let mut has_image = false;
        Ok(ours
            .chain(theirs)
            .zip(call.next.fired..)
            .map(|((target, event), fired_id)| {
                let url = self.filled(call, target.url, click, conversion);
                let is_allowed = outbound::is_allowed(&self.allowed_hosts, &url);
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

    /// A postback URL with its macros expanded; a path gets the own origin.
    fn filled(
        &self,
        call: &Call,
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
            outbound::origin_of(&call.url)
                .unwrap_or_default()
                .to_owned()
                + &url
        } else {
            url
        }
    }
}
