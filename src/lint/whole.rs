//! What is wrong with a link as a whole.

use super::Finding;
use crate::link::{LinkRules, TrackingLink};
use crate::{Error, spoiled, url};

/// A sentence goes on after the link: `…&c=12 click here`. Mails and chats end a link at a space.
pub(super) fn find_text_behind(link: &str, findings: &mut Vec<Finding>) {
    let last = link.rsplit(['&', '?']).next().unwrap_or_default().trim();
    if findings.is_empty()
        && link.contains("://")
        && let Some((_, text)) = last
            .split_once('=')
            .and_then(|(_, value)| value.split_once(' '))
    {
        findings.push(Finding::new(
            "text_around_link",
            text,
            "A space and more text follow in the last value. Copy the link alone; a space that belongs to the value is written %20.",
        ));
    }
}

/// A link inside another one that is no tracking link: `https://href.li/?https://…`,
/// `https://web.archive.org/web/2026/https://…`.
pub(super) fn find_inner_link(link: &str, findings: &mut Vec<Finding>) {
    let Some((_, rest)) = link.split_once("://") else {
        return;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let decoded = url::decode(rest.get(host.len()..).unwrap_or_default());
    let is_told = |finding: &Finding| {
        matches!(
            finding.code,
            "wrapped_link" | "second_question_mark" | "text_around_link"
        )
    };
    if decoded.contains("://") && !has_own_parameters(link) && !findings.iter().any(is_told) {
        findings.push(spoiled::wrapped_link(host));
    }
}

/// Has its query both an `a` and a `c`?
fn has_own_parameters(link: &str) -> bool {
    let (_, query) = link.split_once('?').unwrap_or_default();
    ["a", "c"].iter().all(|own| {
        query.split('&').any(|pair| {
            pair.split_once('=')
                .is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(own))
        })
    })
}

/// The rule for which no tracking link can be read in it, where no other finding says so. Parts
/// that a call's own rules can allow are no findings.
pub(super) fn unreadable(link: &str) -> Option<Finding> {
    let rules = LinkRules {
        allow_test_affiliate: true,
        allow_sandbox: true,
        spill: true,
        ..LinkRules::default()
    };
    let error = TrackingLink::parse(link, &rules).err()?;
    if matches!(error, Error::DeepLinkHost) {
        return None;
    }
    let parameter = error.parameter().unwrap_or("link");
    if let Error::MissingId { parameter } | Error::InvalidId { parameter } = error
        && let Some((mark, name)) = other_separator(link)
    {
        let sentence = format!(
            "No tracking link can be read in it: {mark} stands before {name}=, where & parts one parameter from the next. Write &."
        );
        return Some(Finding::new("unreadable_link", parameter, sentence));
    }
    Some(Finding::new(
        "unreadable_link",
        parameter,
        format!(
            "No tracking link can be read in it: {parameter} {}. Write it anew.",
            error.rule()
        ),
    ))
}

/// The sign that somebody has written for `&`, and the name behind it: `?a=1;c=2`, `?a=1,c=2`. The ids
/// come first: without them no link can be read.
fn other_separator(link: &str) -> Option<(char, &str)> {
    let (_, query) = link.split_once('?')?;
    let find = |names: &[&str]| {
        query
            .match_indices([';', ',', '|', '/', ' ', '+'])
            .find_map(|(at, mark)| {
                let (name, _) = query.get(at + mark.len()..)?.split_once('=')?;
                let is_own = names
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(name.trim()));
                is_own.then_some((mark.chars().next()?, name.trim()))
            })
    };
    find(&["a", "c"]).or_else(|| find(&["p", "s1", "s2", "s3", "s4", "s5", "ckmrdr"]))
}
