//! Postbacks of networks and form tools: a GET or a form, with their own parameter names. Decides
//! whether a request is admitted, and makes a conversion of it.

#[cfg(test)]
mod tests;

use super::secrets::{Secrets, from_hex};
use crate::api::json::{Object, Value, parse_integer, push_string};
use crate::click_id::is_own_id;
use crate::error::IdRule;
use crate::host::{is_host_name, is_loopback_host};
use crate::link::MAX_ID;
use crate::money::Money;
use crate::placeholder::{foreign, is_lost_word, is_missing_value};
use crate::time::CivilTime;
use crate::{Error, Result, click_id, transaction_id, url};

/// The fields of a conversion that a postback may carry.
const FIELDS: [&str; 12] = [
    "clickId",
    "uniqueId",
    "offerId",
    "payout",
    "revenue",
    "conversionDate",
    "orderId",
    "adv1",
    "adv2",
    "adv3",
    "adv4",
    "adv5",
];

/// The signature's parameter, which comes last.
const SIGNATURE: &str = "signature";

/// A source of postbacks: its secrets, and the meaning of its parameters. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Postback {
    secrets: Secrets,
    /// Pairs of our name and theirs.
    map: Vec<(&'static str, String)>,
    /// The offer, where no parameter gives it.
    offer_id: Option<u64>,
    secret_parameter: String,
    is_signed: bool,
}

/// A request. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The path behind the postback's name, decoded; or empty.
    pub path_secret: &'a str,
    /// The query, raw.
    pub query: &'a str,
    /// The form, raw; empty for a GET.
    pub form: &'a str,
}

impl<'a> Request<'a> {
    /// The text that a signature covers, and whose parameters count.
    fn signed_text(&self) -> &'a str {
        if self.form.is_empty() {
            self.query
        } else {
            self.form
        }
    }
}

impl Postback {
    /// Takes the secrets, the newest first, and the settings as JSON: `map` of our names to theirs,
    /// `offerId`, `secretParameter`, `signed`.
    ///
    /// # Errors
    /// [`Error::WeakSecret`]; [`Error::InvalidField`] where the map has no click id, no unique id
    /// or no offer.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>, settings: &str) -> Result<Self> {
        let fields =
            Object::read(settings).ok_or_else(|| field("settings", "must be an object"))?;
        let given = fields.get("map").and_then(Value::object);
        let map: Vec<_> = FIELDS
            .into_iter()
            .filter_map(|name| Some((name, given.as_ref()?.get(name)?.string()?)))
            .collect();
        let has = |name| {
            map.iter()
                .any(|(own, theirs)| *own == name && !theirs.is_empty())
        };
        let offer_id = fields
            .get("offerId")
            .and_then(Value::number)
            .and_then(parse_integer);
        for name in ["clickId", "uniqueId"] {
            if !has(name) {
                return Err(field(
                    &["map.", name].concat(),
                    "is missing: name their parameter",
                ));
            }
        }
        if has("offerId") == offer_id.is_some() {
            let rule = "must be given once: as a number here, or as a parameter in map";
            return Err(field("offerId", rule));
        }
        let secret_parameter = fields.get("secretParameter").and_then(Value::string);
        let secret_parameter = secret_parameter.unwrap_or_else(|| "secret".to_owned());
        // The secret would be stored as an id, and shown by every report.
        if map.iter().any(|(_, theirs)| *theirs == secret_parameter) {
            return Err(field(
                "secretParameter",
                "must be another name than those in map",
            ));
        }
        Ok(Self {
            secrets: Secrets::new(secrets)?,
            map,
            offer_id,
            secret_parameter,
            is_signed: fields.get("signed").is_some_and(Value::is_true),
        })
    }

    /// The conversion of a request with a secret or a signature; `None` without one. See
    /// [`Self::read`].
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub(crate) fn open(&self, request: &Request<'_>) -> Result<Option<String>> {
        self.is_admitted(request)
            .then(|| self.read(request))
            .transpose()
    }

    /// Does the request have one of the secrets, or a signature by one?
    #[must_use]
    pub fn is_admitted(&self, request: &Request<'_>) -> bool {
        if self.is_signed {
            let Some((text, signature)) = split_signature(request.signed_text()) else {
                return false;
            };
            let signature = from_hex(signature);
            return signature.is_some_and(|it| self.secrets.verify(&[text.as_bytes()], &it));
        }
        let path = request.path_secret;
        if !path.is_empty() {
            // A secret may end with a slash, and an address may have one more.
            let bare = path.strip_suffix('/').unwrap_or(path);
            return self.secrets.contains(path) || self.secrets.contains(bare);
        }
        let pairs = self.pairs(&[request.query, request.form]);
        let mut given = values(&pairs, &self.secret_parameter);
        // Whoever does not encode a `+` sends a space.
        let is_ours = |secret: String| {
            self.secrets.contains(&secret) || self.secrets.contains(&secret.replace(' ', "+"))
        };
        given.len() == 1 && given.pop().is_some_and(is_ours)
    }

    /// The parameters, also of an address that was mangled on its way: an `&amp;`, white space or a
    /// second `?` before a name; a `?` or `;` in place of an `&` before a name of the map.
    fn pairs(&self, texts: &[&str]) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (name, value) in texts.iter().flat_map(|text| url::pairs(text)) {
            let mut name = plain_name(&name).to_owned();
            let mut rest = &*value;
            while let Some((head, next, tail)) = self.split(&name, rest) {
                pairs.push((name, head.to_owned()));
                (name, rest) = (next.to_owned(), tail);
            }
            pairs.push((name, rest.to_owned()));
        }
        pairs
    }

    /// Splits a value before a parameter that it has swallowed: its head, the parameter's name and
    /// value. `None` where the parameter is that of an address in the value.
    fn split<'t>(&self, own: &str, text: &'t str) -> Option<(&'t str, &'t str, &'t str)> {
        let found = text.match_indices(['?', ';', '&']).find_map(|(at, _)| {
            let (head, rest) = text.split_at_checked(at)?;
            let (name, tail) = rest.split_once('=')?;
            let name = plain_name(name);
            self.is_known(name).then_some((head, name, tail))
        });
        found.filter(|(head, ..)| {
            // With the mark: an address may have no path before its query.
            let mut parts = text.get(..=head.len()).unwrap_or_default().split('=');
            let first = parts.next().unwrap_or_default();
            let may_be_bare = self.is_text(own) && is_bare_address(first);
            let is_rest = |part| is_address(part) || is_bare_address(part);
            !(may_be_bare || is_address(first) || parts.any(is_rest))
        })
    }

    /// May a value under this name be any text? An id may have the letters of a host, and is none.
    fn is_text(&self, name: &str) -> bool {
        let is_field = |(own, theirs): &(&str, String)| theirs == name && !own.starts_with("adv");
        name != self.secret_parameter && !self.map.iter().any(is_field)
    }

    /// Does a parameter of that name count?
    fn is_known(&self, name: &str) -> bool {
        name == self.secret_parameter || self.map.iter().any(|(_, known)| known == name)
    }

    /// The conversion as JSON, for [`super::event::read`]. Parameters outside the map are skipped:
    /// networks send many.
    ///
    /// # Errors
    /// [`Error::PlaceholderText`] for an unexpanded macro, or a word in place of a missing value.
    /// [`Error::InvalidClickId`] for the sender's own id of the conversion under the click id's name.
    /// [`Error::InvalidField`] for a repeated parameter, and the errors of the fields themselves.
    pub fn read(&self, request: &Request<'_>) -> Result<String> {
        let texts = if self.is_signed {
            let signed = split_signature(request.signed_text());
            [signed.map_or("", |(text, _)| text), ""]
        } else {
            [request.query, request.form]
        };
        let pairs = self.pairs(&texts);
        let mut json = String::from("{");
        let (mut click, mut own_ids) = (None, Vec::new());
        if let Some(offer_id) = self.offer_id {
            push(&mut json, "offerId", &offer_id.to_string(), false);
        }
        for (name, theirs) in &self.map {
            let mut given = values(&pairs, theirs);
            if given.len() > 1 {
                return Err(field(name, "is given twice"));
            }
            if given.is_empty()
                && let Some(near) = self.near(&pairs, theirs)
            {
                let rule = ["must be `", theirs, "`: it came as `", near, "`"].concat();
                return Err(field(name, &rule));
            }
            let is_sent = !given.is_empty();
            let value = given.pop().unwrap_or_default();
            let value = value.trim();
            // An empty macro is the commonest missing value. Without the money, CAKE would pay by
            // its own rules, and a repetition with the money would change nothing.
            if is_sent && value.is_empty() && matches!(*name, "payout" | "revenue") {
                return Err(field(
                    name,
                    "is empty: it must have an amount, or be left out",
                ));
            }
            // Two ids could become one where letters are lost.
            if value.contains('\u{fffd}') {
                return Err(field(name, "must be percent-encoded as UTF-8"));
            }
            if !value.is_empty() {
                // `sub1=sub1`: the network has not expanded the name.
                let bare = value.trim_matches(|c: char| c.is_ascii_punctuation());
                if bare.eq_ignore_ascii_case(theirs) && !name.starts_with("adv") {
                    return Err(Error::PlaceholderText { parameter: name });
                }
                let value = match *name {
                    "payout" | "revenue" => Money::without_zeros(value),
                    _ => value,
                };
                check(name, value)?;
                match *name {
                    "clickId" => click = Some((theirs, value.to_owned())),
                    "uniqueId" | "orderId" => own_ids.push((theirs, value.to_owned())),
                    _ => {}
                }
                match parse_integer(value).filter(|_| *name == "offerId") {
                    Some(id) => push(&mut json, name, &id.to_string(), false),
                    None => push(&mut json, name, value, true),
                }
            }
        }
        json.push('}');
        let Some((parameter, click_id)) = click else {
            return Ok(json);
        };
        // Where the map has one parameter for both, the site has said that it is the click's.
        let others = own_ids.iter().filter(|(theirs, _)| *theirs != parameter);
        let own_ids: Vec<&str> = others.map(|(_, id)| id.as_str()).collect();
        if is_own_id(&click_id, &own_ids) {
            let rule = IdRule::Own;
            return Err(Error::InvalidClickId { rule });
        }
        Ok(json)
    }

    /// A parameter of this name in other case, as a list (`sum[]`, `sum[0]`) or between other marks, that
    /// has no other meaning here.
    fn near<'p>(&self, pairs: &'p [(String, String)], theirs: &str) -> Option<&'p str> {
        pairs.iter().map(|(name, _)| &**name).find(|name| {
            let is_mark = |c: char| !c.is_alphanumeric();
            let bare = name.split('[').find(|part| !part.is_empty());
            let bare = bare.unwrap_or_default().trim_matches(is_mark);
            bare.eq_ignore_ascii_case(theirs.trim_matches(is_mark)) && !self.is_known(name)
        })
    }
}

/// A name without what mangled addresses put before it, and without white space.
fn plain_name(name: &str) -> &str {
    let mut name = name;
    loop {
        let bare = name
            .trim_matches(url::is_white)
            .trim_start_matches(['?', ';', '&']);
        let bare = bare.strip_prefix("amp;").unwrap_or(bare);
        if bare.len() == name.len() {
            return name;
        }
        name = bare;
    }
}

/// Is this a whole address, or a path?
fn is_address(value: &str) -> bool {
    value.contains("://") || value.trim_start().starts_with('/')
}

/// Is this an address without a scheme: a host with a path or a query behind it?
fn is_bare_address(value: &str) -> bool {
    let value = value.trim_start();
    let end = value.find(['/', '?', ';', '&']).unwrap_or(value.len());
    let (host, rest) = value.split_at_checked(end).unwrap_or_default();
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.split_once(':').filter(|(_, port)| is_port(port));
    let host = name.map_or(host, |(name, _)| name);
    rest.starts_with(['/', '?']) && (is_host_name(host) || is_loopback_host(host))
}

/// Splits a text into the signed part and the signature, which comes last.
fn split_signature(text: &str) -> Option<(&str, &str)> {
    let (signed, last) = text.rsplit_once('&')?;
    Some((signed, last.strip_prefix(SIGNATURE)?.strip_prefix('=')?))
}

fn values(pairs: &[(String, String)], name: &str) -> Vec<String> {
    let named = pairs.iter().filter(|(own, _)| own == name);
    named.map(|(_, value)| value.clone()).collect()
}

/// Checks a value's text. It tells words for a missing value from values that are merely wrong.
fn check(parameter: &'static str, value: &str) -> Result<()> {
    let placeholder = Err(Error::PlaceholderText { parameter });
    if is_macro(value) {
        return placeholder;
    }
    let checked = match parameter {
        "clickId" => click_id::check(value),
        "uniqueId" | "orderId" => transaction_id::check(parameter, value).map(drop),
        "offerId" => parse_integer(value)
            .filter(|id| (1..=MAX_ID).contains(id))
            .map(drop)
            .ok_or(Error::InvalidId { parameter }),
        "payout" | "revenue" => Money::parse(parameter, value).map(drop),
        "conversionDate" => CivilTime::parse(parameter, value).map(drop),
        // Free text: `no` and `0` may be meant.
        _ if is_lost_word(value) => return placeholder,
        _ => Ok(()),
    };
    if checked.is_err() && is_missing_value(value) {
        return placeholder;
    }
    checked
}

/// Is the whole value an unexpanded macro?
fn is_macro(value: &str) -> bool {
    // .NET writes ids as `{8fca1b5e-…}`.
    let is_short = value.len() < 36 || value.starts_with("{{");
    is_short && foreign::find(value).iter().any(|found| found.text == value)
}

fn push(json: &mut String, name: &str, value: &str, is_text: bool) {
    if json.len() > 1 {
        json.push(',');
    }
    push_string(json, name);
    json.push(':');
    if is_text {
        push_string(json, value);
    } else {
        json.push_str(value);
    }
}

fn field(parameter: &str, rule: &str) -> Error {
    Error::InvalidField {
        parameter: parameter.to_owned(),
        rule: rule.to_owned(),
    }
}
