//! Fault injection: which fault, for which action, how often.

use super::api::Unsuccessful;
use super::{Action, HttpAnswer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// The answer is right, and delayed by `latency_ms`.
    Latency,
    /// 429 with `Retry-After`.
    RateLimit,
    /// `status`, by default 500.
    ServerError,
    /// 200 and the message `Restricted`.
    Restricted,
    /// 200 and an HTML page.
    Html,
    /// The right answer, truncated in the middle.
    CutOff,
    /// The connection closes without an answer, and the call is not carried out.
    ResetBefore,
    /// The connection closes without an answer, and the call is carried out.
    ResetAfter,
    /// 302 to `location`.
    Redirect,
    /// 200 and JSON of another shape.
    WrongJson,
}

impl FaultKind {
    /// Every kind of fault.
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

/// One rule: a share of the calls, or a script for the next calls.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// The actions of the rule. None listed: all actions of both APIs.
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
    /// The share of the calls, from 0 to 1.
    #[serde(default)]
    pub(crate) share: Option<f64>,
    /// The kinds from which a share is drawn, evenly. None listed: every kind.
    #[serde(default)]
    pub(crate) kinds: Vec<FaultKind>,
    /// A script in place of a share: the kinds of the next calls, in order. Null lets a call
    /// through.
    #[serde(default)]
    pub(crate) script: Option<Vec<Option<FaultKind>>>,
    /// The delay of a late answer.
    #[serde(default = "second")]
    pub(crate) latency_ms: u64,
    /// The status of a server error.
    #[serde(default = "internal_server_error")]
    pub(crate) status: u16,
    /// The seconds of `Retry-After`.
    #[serde(default = "one")]
    pub(crate) retry_after_s: u64,
    /// The target of a redirect.
    #[serde(default = "login")]
    pub(crate) location: String,
    /// Is the call carried out in spite of the fault? The default is yes for `cut_off` and
    /// `reset_after`, and no for the others.
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

/// The effect of a fault on one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fault {
    /// The kind of the fault.
    pub(crate) kind: FaultKind,
    /// The delay before the answer.
    pub(crate) delay_ms: u64,
    /// Is the call carried out?
    pub(crate) is_carried_out: bool,
    /// How the connection ends, if not normally.
    pub(crate) breaks: Option<Break>,
    /// The answer in place of the right one.
    pub(crate) answer: Option<HttpAnswer>,
}

/// The point at which a connection ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Break {
    /// Before the first byte.
    Reset,
    /// In the middle of the body.
    CutOff,
}

/// The active rules. The first rule that applies counts.
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

    /// The rules; each script with its remaining entries.
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

    /// The fault of the next call of `action`. `random` is from 0 to below 1; this one number
    /// decides whether there is a fault, and its kind.
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
                    // A null of the script lets the call through; later rules do not apply.
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
                // Words of an outage are none for good, whatever the status.
                if self.status < 500 {
                    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The resource cannot be found.</h1></body></html>"
                } else {
                    "<!DOCTYPE html><html><head><title>Server Error</title></head><body><h1>Server Error in '/' Application.</h1></body></html>"
                },
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
            // A call that was not carried out has no answer to truncate: the connection sends half
            // of this one.
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
