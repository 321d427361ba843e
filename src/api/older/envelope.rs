//! The part of an answer around its rows: does it say yes?

use crate::Result;
use crate::api::Answer;
use crate::api::contents::is_quiet_word;
use crate::api::json::parse_id;
use crate::api::unread::Unread;

/// The content of an answer around its rows.
#[expect(clippy::struct_excessive_bools, reason = "what was met in it")]
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) success: Option<bool>,
    pub(super) message: Option<String>,
    pub(super) total_rows: Option<u64>,
    /// A number of rows that cannot be read.
    pub(super) unread: Unread,
    pub(super) has_list: bool,
    /// An `error` that is not empty.
    pub(super) has_error: bool,
    /// The root of a page.
    pub(super) is_page: bool,
    pub(super) is_fault: bool,
    /// `soap:Sender`, or `Client` before SOAP 1.2: the request is at fault, and nothing was done.
    pub(super) is_senders_fault: bool,
    pub(super) is_contradicted: bool,
}

impl Envelope {
    pub(super) fn note(&mut self, name: &str, text: &str) {
        let text = text.trim();
        match name {
            "success" => {
                let said = match text.to_ascii_lowercase().as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => {
                        self.is_contradicted = true;
                        return;
                    }
                };
                self.is_contradicted |= self.success.is_some_and(|before| before != said);
                self.success = Some(said);
            }
            // The larger of two values counts: a list that may lack rows is not whole.
            "row_count" => {
                let count = parse_id(text);
                if count.is_none() && !text.is_empty() {
                    self.unread.note(name, text);
                }
                self.total_rows = self.total_rows.max(count);
            }
            "error" | "error_message" if !is_quiet_word(text) => {
                self.has_error = true;
                self.message.get_or_insert_with(|| text.to_owned());
            }
            "message" | "faultstring" | "Text" | "string" if !text.is_empty() => {
                self.message.get_or_insert_with(|| text.to_owned());
            }
            "Value" | "faultcode" if self.is_fault => {
                let word = text.rsplit(':').next().unwrap_or(text);
                self.is_senders_fault |= matches!(word, "Sender" | "Client");
            }
            _ => {}
        }
    }
}

/// Is it a yes? One of the services leaves `success` out: its list then counts as a yes.
pub(super) fn check(answer: &Answer<'_>, envelope: &Envelope, body: &str) -> Result<()> {
    if envelope.is_contradicted || envelope.is_page {
        return Err(answer.unexpected_markup("says neither yes nor no: ", body));
    }
    if envelope.is_fault {
        let words = envelope.message.as_deref().unwrap_or(body);
        return Err(if envelope.is_senders_fault {
            answer.no(Some(false), Some(words))
        } else {
            answer.unexpected("is a fault: ", words)
        });
    }
    if envelope.has_error {
        return Err(answer.no(Some(false), envelope.message.as_deref()));
    }
    match (envelope.success, &envelope.message) {
        (Some(true), _) => Ok(()),
        (None, None) if envelope.has_list || envelope.total_rows.is_some() => Ok(()),
        (None, None) => Err(answer.unexpected_markup("says neither yes nor no: ", body)),
        (success, message) => Err(answer.no(success, message.as_deref())),
    }
}
