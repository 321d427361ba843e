//! Faults on demand: what goes wrong, for which action, how often.

use super::api::Unsuccessful;
use super::{Action, HttpAnswer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// The answer is right, and late by `latency_ms`.
    Latency,
    /// 429 with `Retry-After`.
    RateLimit,
    /// `status`, by default 500.
    ServerError,
    /// 200 and the message `Restricted`.
    Restricted,
    /// 200 and an HTML page.
    Html,
    /// The right answer, cut off in its middle.
    CutOff,
    /// The connection closes without an answer, and nothing was done.
    ResetBefore,
    /// The connection closes without an answer, and everything was done.
    ResetAfter,
    /// 302 to `location`.
    Redirect,
    /// 200 and JSON of another shape.
    WrongJson,
}

impl FaultKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 10] = [
        Self::Latency,
        Self::RateLimit,
        Self::ServerError,
        Self::Restricted,
        Self::Html,
        Self::CutOff,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Redirect,
        Self::WrongJson,
    ];
}

/// One rule: a share of the calls, or a script for the next ones.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// The actions that it applies to; none named: those of both APIs.
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
    /// The share of the calls, from 0 to 1.
    #[serde(default)]
    pub(crate) share: Option<f64>,
    /// The kinds that a share is drawn from, evenly; none named: every kind.
    #[serde(default)]
    pub(crate) kinds: Vec<FaultKind>,
    /// Instead of a share: what happens to the next calls, one after the other;
    /// null lets one through.
    #[serde(default)]
    pub(crate) script: Option<Vec<Option<FaultKind>>>,
    /// How late a late answer is.
    #[serde(default = "second")]
    pub(crate) latency_ms: u64,
    /// The status of a server error.
    #[serde(default = "internal_server_error")]
    pub(crate) status: u16,
    /// The seconds of `Retry-After`.
    #[serde(default = "one")]
    pub(crate) retry_after_s: u64,
    /// Where a redirect leads.
    #[serde(default = "login")]
    pub(crate) location: String,
    /// Is the work done all the same, behind a false answer? By default it is
    /// for `cut_off` and `reset_after`, and not for the others.
    #[serde(default)]
    pub(crate) recorded: Option<bool>,
}

fn second() -> u64 {
    1_000
}
fn internal_server_error() -> u16 {
    500
}
fn one() -> u64 {
    1
}
fn login() -> String {
    "/__sandbox/elsewhere?reason=redirect_fault".to_owned()
}

/// What to do to one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fault {
    /// Which kind it is.
    pub(crate) kind: FaultKind,
    /// Wait so long first.
    pub(crate) delay_ms: u64,
    /// Is the call carried out?
    pub(crate) is_carried_out: bool,
    /// How the connection ends, where not as it should.
    pub(crate) breaks: Option<Break>,
    /// What is answered in place of the truth.
    pub(crate) answer: Option<HttpAnswer>,
}

/// How a connection ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Break {
    /// Before the first byte.
    Reset,
    /// In the middle of the body.
    CutOff,
}

/// The rules in force. The first one that applies counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    rules: Vec<(FaultRule, usize)>,
}

impl Faults {
    /// Reads the rules, a JSON array.
    pub(super) fn read(json: &str) -> Result<Self> {
        let rules: Vec<FaultRule> =
            super::json::read("faults", &mut serde_json::Deserializer::from_str(json))?;
        for (index, rule) in rules.iter().enumerate() {
            let is_share = rule.share.is_some_and(|share| (0.0..=1.0).contains(&share));
            if is_share == rule.script.is_some() || rule.share.is_some() != is_share {
                return Err(invalid(&format!(
                    "[{index}] must have a share from 0 to 1 or a script, and not both"
                )));
            }
            if !(400..=599).contains(&rule.status) {
                return Err(invalid(&format!(
                    "[{index}].status must be from 400 to 599"
                )));
            }
            if rule.latency_ms > 600_000 {
                return Err(invalid(&format!(
                    "[{index}].latency_ms must be at most 600000"
                )));
            }
            if rule
                .location
                .chars()
                .any(|c| c.is_control() || !c.is_ascii())
            {
                return Err(invalid(&format!("[{index}].location must be plain ASCII")));
            }
        }
        Ok(Self {
            rules: rules.into_iter().map(|rule| (rule, 0)).collect(),
        })
    }

    /// The rules; of a script what is left of it.
    pub(super) fn rules(&self) -> Vec<FaultRule> {
        self.rules
            .iter()
            .map(|(rule, used)| FaultRule {
                script: rule
                    .script
                    .as_ref()
                    .map(|script| script.iter().skip(*used).copied().collect()),
                ..rule.clone()
            })
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What happens to the next call of `action`. `random` is from 0 to below 1;
    /// one number decides both whether and what.
    pub(super) fn next_fault(&mut self, action: Action, random: f64) -> Option<Fault> {
        for (rule, used) in &mut self.rules {
            let is_meant = if rule.actions.is_empty() {
                action.is_of_api()
            } else {
                rule.actions.contains(&action)
            };
            if !is_meant {
                continue;
            }
            let kind = match &rule.script {
                Some(script) => {
                    let Some(kind) = script.get(*used) else {
                        continue;
                    };
                    *used += 1;
                    // A null of the script lets the call through, whatever other rules say.
                    (*kind)?
                }
                None => match drawn(rule, random) {
                    Some(kind) => kind,
                    None => continue,
                },
            };
            return Some(rule.fault(kind, action));
        }
        None
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list of at most a few kinds"
)]
fn drawn(rule: &FaultRule, random: f64) -> Option<FaultKind> {
    let share = rule.share.filter(|share| random < *share)?;
    let kinds: &[FaultKind] = if rule.kinds.is_empty() {
        &FaultKind::ALL
    } else {
        &rule.kinds
    };
    let place = (random / share * kinds.len() as f64) as usize;
    kinds.get(place.min(kinds.len() - 1)).copied()
}

impl FaultRule {
    fn fault(&self, kind: FaultKind, action: Action) -> Fault {
        let is_carried_out = match kind {
            FaultKind::Latency | FaultKind::ResetAfter => true,
            FaultKind::ResetBefore => false,
            FaultKind::CutOff => self.recorded.unwrap_or(true),
            _ => self.recorded.unwrap_or(false),
        };
        let answer = match kind {
            FaultKind::RateLimit => {
                let mut answer = HttpAnswer::text(429, "Too Many Requests");
                answer
                    .headers
                    .push(("retry-after", self.retry_after_s.to_string()));
                Some(answer)
            }
            FaultKind::ServerError => Some(HttpAnswer::new(
                self.status,
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><head><title>Server Error</title></head><body><h1>Server Error in '/' Application.</h1></body></html>",
            )),
            FaultKind::Restricted if action.is_older() => Some(HttpAnswer::new(
                200,
                "text/xml; charset=utf-8",
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string>Restricted</string>",
            )),
            FaultKind::Restricted => Some(HttpAnswer::json(&Unsuccessful {
                success: false,
                message: "Restricted",
            })),
            FaultKind::Html => Some(HttpAnswer::new(
                200,
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><head><title>Log In</title></head><body><h1>Log In</h1></body></html>",
            )),
            FaultKind::Redirect => Some(HttpAnswer::redirect(self.location.clone())),
            FaultKind::WrongJson => Some(HttpAnswer::json(&serde_json::json!({ "d": null }))),
            // Cut off without having been carried out: the half of nothing in particular.
            FaultKind::CutOff if !is_carried_out => Some(HttpAnswer::json(&serde_json::json!({
                "request_status": "Success", "conversion": null
            }))),
            _ => None,
        };
        Fault {
            kind,
            delay_ms: if kind == FaultKind::Latency {
                self.latency_ms
            } else {
                0
            },
            is_carried_out,
            breaks: match kind {
                FaultKind::ResetBefore | FaultKind::ResetAfter => Some(Break::Reset),
                FaultKind::CutOff => Some(Break::CutOff),
                _ => None,
            },
            answer,
        }
    }
}

fn invalid(message: &str) -> Error {
    Error::InvalidFixture {
        message: format!("faults{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        Faults::read(json).unwrap()
    }

    #[test]
    fn a_script_is_played_once_and_null_lets_a_call_through() {
        let mut faults = faults(r#"[{"script":["reset_after",null,"html"]}]"#);
        let kinds: Vec<_> = (0..4)
            .map(|_| {
                faults
                    .next_fault(Action::RecordConversion, 0.5)
                    .map(|f| f.kind)
            })
            .collect();
        assert_eq!(
            kinds,
            [
                Some(FaultKind::ResetAfter),
                None,
                Some(FaultKind::Html),
                None
            ]
        );
        assert_eq!(faults.rules()[0].script.as_deref(), Some(&[][..]));
    }

    #[test]
    fn a_share_is_kept_and_every_kind_of_it_occurs_alike() {
        let mut faults = faults(r#"[{"share":0.4,"actions":["record_conversion"]}]"#);
        let mut counts = [0; 10];
        for step in 0..10_000_u32 {
            if let Some(fault) =
                faults.next_fault(Action::RecordConversion, f64::from(step) / 10_000.0)
            {
                let place = FaultKind::ALL.iter().position(|kind| *kind == fault.kind);
                counts[place.unwrap()] += 1;
            }
        }
        assert!(
            counts.iter().all(|count| (399..=401).contains(count)),
            "{counts:?}"
        );
        assert_eq!(faults.next_fault(Action::GetClick, 0.0), None);
        assert_eq!(faults.next_fault(Action::Click, 0.0), None);
    }

    #[test]
    fn only_a_reset_before_does_nothing_behind_a_broken_connection() {
        let mut faults = faults(r#"[{"script":["reset_before","reset_after","cut_off"]}]"#);
        let outcomes: Vec<_> = (0..3)
            .filter_map(|_| faults.next_fault(Action::GetClick, 0.0))
            .map(|fault| (fault.is_carried_out, fault.breaks))
            .collect();
        assert_eq!(
            outcomes,
            [
                (false, Some(Break::Reset)),
                (true, Some(Break::Reset)),
                (true, Some(Break::CutOff))
            ]
        );
    }

    #[test]
    fn a_bad_rule_says_where() {
        for (json, words) in [
            (r#"[{"share":1.5}]"#, "faults[0] must have a share"),
            (
                r#"[{"share":0.5,"script":[]}]"#,
                "faults[0] must have a share",
            ),
            ("[{}]", "faults[0] must have a share"),
            (
                r#"[{"share":1,"kinds":["fire"]}]"#,
                "kinds[0]: unknown variant `fire`",
            ),
            (r#"[{"share":1,"status":200}]"#, "faults[0].status"),
            (r#"[{"share":1,"color":"red"}]"#, "unknown field `color`"),
        ] {
            let error = Faults::read(json).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
