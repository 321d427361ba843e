//! Macros in postback URLs: `#reqsessid#`, `#price#`, `#s1#` …, and the tokens that CAKE fills into
//! an offer's landing page URL.

mod marked;

use crate::error::UrlRule;
use crate::finding::Finding;
use crate::host::is_host_name;
use crate::link::strip_scheme;
use crate::lint;
use crate::nearest::nearest;
use crate::placeholder::foreign::{self, Foreign};
use crate::url::{self, push_encoded};
use crate::{Error, Result, spoiled};

/// The macros that CAKE expands: those of its API article first, then those of
/// its help pages (KB 5000545788, 5000546376).
pub const KNOWN: [&str; 22] = [
    "reqsessid",
    "price",
    "status", // the article
    "affid",
    "oid",
    "campid",
    "cid",
    "s1",
    "s2",
    "s3",
    "s4",
    "s5",
    "reqid",
    "oreqid",
    "vstid",
    "udid", // clicks
    "tid",
    "leadid",
    "ip",
    "sourceip",
    "utcunixtime",
    "sourcetime", // conversions
];

/// The longest template, in bytes.
pub(crate) const MAX_BYTES: usize = 2_000;

/// The macros of a template, and probable mistakes in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The known macros in it, each once, in order.
    pub uses: Vec<&'static str>,
    /// `unknown_macro`, `unclosed_macro`, `encoded_macro`, `foreign_macro`, `placeholder_text`,
    /// `raw_fragment`,
    /// `no_click_id`, `wrong_separator`, `repeated_parameter`, and the codes of [`lint::lint`] for damage to an address.
    pub findings: Vec<Finding>,
}

/// Checks a postback URL's template.
///
/// ```
/// use cake_edge::macros::check;
///
/// let checked = check("https://tracking.partner.com/postback?click_id=#reqsessid#&payout={payout}")?;
/// assert_eq!(checked.uses, ["reqsessid"]);
/// assert_eq!(checked.findings[0].code, "foreign_macro");
/// # Ok::<(), cake_edge::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidPostbackUrl`] where it is not https on a host name (no IP address in any
/// spelling, no macro as host). Also where it has credentials, control characters or white space,
/// or is longer than 2,000 bytes.
pub fn check(template: &str) -> Result<Checked> {
    let broken = |rule| Err(Error::InvalidPostbackUrl { rule });
    let Some(rest) = strip_scheme(template, "https://") else {
        return broken(UrlRule::Scheme);
    };
    // Not up to a `#`: a macro right behind the host would become part of it.
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    if template.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return broken(UrlRule::Space);
    }
    if template.contains('\\') {
        return broken(UrlRule::Backslash);
    }
    if authority.contains('@') {
        return broken(UrlRule::Credentials);
    }
    if !is_host_name(host) {
        return broken(UrlRule::of_host(host));
    }
    if !url::is_port(port) {
        return broken(UrlRule::Port);
    }
    if template.len() > MAX_BYTES {
        return broken(UrlRule::Length);
    }

    let mut checked = Checked::default();
    let mut before = None;
    let pieces: Vec<Piece<'_>> = pieces(rest).collect();
    for (at, piece) in pieces.iter().enumerate() {
        if let (Some(before), Piece::Macro(name)) = (before, piece) {
            checked.findings.push(glued(before, name));
        }
        before = match piece {
            Piece::Macro(name) => Some(*name),
            Piece::Text(_) | Piece::Mark => None,
        };
        match piece {
            Piece::Macro(name) => match KNOWN.iter().find(|known| *known == name) {
                Some(known) if checked.uses.contains(known) => {}
                Some(known) => checked.uses.push(known),
                None => checked.findings.push(unknown(name)),
            },
            Piece::Text(_) => {}
            Piece::Mark => checked.findings.push(marked::lone(at, &pieces)),
        }
    }
    find_foreign(template, &mut checked.findings);
    marked::drop_told_twice(&mut checked.findings);
    if !checked
        .uses
        .iter()
        .any(|name| ["reqsessid", "reqid", "oreqid", "s2", "s3", "s4", "s5"].contains(name))
    {
        checked.findings.push(Finding::new(
            "no_click_id",
            "",
            "Nothing in it tells which click has converted: add #reqsessid#, or #s2# where your own click id is.",
        ));
    }
    Ok(checked)
}

/// Like [`check`], for a URL as somebody has pasted it. Damage on its way may be all that breaks a
/// rule, such as quotes around it or the spaces of `{{ clickid }}`. Such damage is a finding, and
/// the rest is checked.
///
/// # Errors
/// [`Error::InvalidPostbackUrl`] as [`check`].
pub(crate) fn inspect(text: &str) -> Result<Checked> {
    check(text).or_else(|error| {
        let mut findings = Vec::new();
        let mended = spoiled::mend(text, &mut findings);
        let trimmed = mended.trim();
        let template = trimmed.replace(' ', "");
        if template != *mended {
            findings.push(Finding::new(
                "stray_space",
                "",
                "The URL has a space, which no URL holds. Leave it out, or write %20.",
            ));
        }
        let mut checked = check(&template).map_err(|_| error)?;
        checked
            .findings
            .retain(|finding| !findings.contains(finding));
        findings.append(&mut checked.findings);
        checked.findings = findings;
        Ok(checked)
    })
}

/// `#reqsessid##price#`: the partner reads one value.
fn glued(before: &str, name: &str) -> Finding {
    let sentence = format!(
        "#{before}# and #{name}# stand side by side: the partner cannot tell where one value ends. Put &name= between them."
    );
    Finding::new("wrong_separator", name, sentence)
}

/// Finds parameters that no `&` parts from the text before them: `/pb&id=…` without a `?`, and
/// `?id=1;payout=2`.
fn find_separators(path: &str, query: &str, findings: &mut Vec<Finding>) {
    let name_of = |text: &'_ str| {
        let (name, value) = text.split_once('=')?;
        let is_parameter = lint::is_parameter_name(name);
        is_parameter.then(|| (name.to_owned(), value.starts_with('#')))
    };
    let mut find = |name: &str, sentence: String| {
        findings.push(Finding::new("wrong_separator", name, sentence));
    };
    if query.is_empty()
        && let Some((name, _)) = path.split('&').skip(1).find_map(name_of)
    {
        let sentence = format!(
            "No ? stands before the first parameter, {name}=, so it is part of the path. Write ?{name}=…."
        );
        find(&name, sentence);
    }
    for (at, mark) in query.match_indices([';', ',', '|']) {
        let behind = query.get(at + 1..).and_then(name_of);
        if let Some((name, is_macro)) = behind
            && (is_macro || mark == ";")
        {
            let sentence = format!(
                "{mark} stands before {name}=, where & parts one parameter from the next. Write &."
            );
            find(&name, sentence);
        }
    }
}

/// Finds a parameter that comes twice. A list's name, `id[]`, may.
fn find_repeated<'a>(names: impl Iterator<Item = &'a str>, findings: &mut Vec<Finding>) {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            findings.push(Finding::new(
                "repeated_parameter",
                name,
                "The parameter comes twice: the partner may read either value. Leave one out.",
            ));
        } else if !name.is_empty() && !name.ends_with(']') {
            seen.push(name);
        }
    }
}

/// `#payuot#`: a macro that CAKE does not know.
fn unknown(name: &str) -> Finding {
    // `#payuot#`: a near miss of another tool's name for #price#.
    let of_others = || {
        let names = OWN.iter().flat_map(|(_, names)| names.split(' '));
        own(nearest(name, names)?)
    };
    let right = own(name)
        .or_else(|| nearest(name, KNOWN))
        .or_else(of_others);
    let advice = match right {
        Some("s2") => {
            "Did you mean #reqsessid#, CAKE's own click id, or #s2#, where the partner's is in s2?"
                .to_owned()
        }
        Some(right) => format!("Did you mean #{right}#?"),
        None => "Leave it out, or write one of CAKE's own.".to_owned(),
    };
    let sentence = format!("CAKE does not know this macro and leaves it as it is. {advice}");
    Finding::new("unknown_macro", name, sentence)
}

/// Finds text of another tool in a template, spoiled text, and text that was never filled in.
fn find_foreign(template: &str, findings: &mut Vec<Finding>) {
    let mended = spoiled::mend(template, findings);
    let rest = mended.split_once("://").map_or(&*mended, |(_, rest)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    for segment in path.split(['/', ';']).skip(1) {
        check_value("", segment, findings);
    }
    let is_told = |finding: &Finding| finding.code == "html_entity";
    if !findings.iter().any(is_told) {
        find_separators(path, query, findings);
    }
    let names = query.split('&').filter_map(|pair| pair.split_once('='));
    find_repeated(names.map(|(name, _)| name), findings);
    for pair in query.split(['&', '?']).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        check_value(&url::decode(name), value, findings);
        if let Some(found) = foreign::find(&url::decode(name)).first() {
            findings.push(foreign_macro(found));
        }
    }
    if query.contains('?') && query.split('?').skip(1).any(|rest| rest.contains('=')) {
        findings.push(Finding::new(
            "second_question_mark",
            "?",
            "A second ? follows, where & parts one parameter from the next. Write &.",
        ));
    }
}

fn check_value(name: &str, value: &str, findings: &mut Vec<Finding>) {
    let readings = spoiled::readings(value);
    let start = findings.len();
    let mut is_filled = false;
    let plain = spoiled::plain(&readings);
    let spellings = readings.iter().map(AsRef::as_ref).chain(plain.as_deref());
    for (index, reading) in spellings.enumerate() {
        for found in foreign::find(reading) {
            let is_hashed = found.text.starts_with('#')
                && !found.text.starts_with("##")
                && found.text.ends_with('#');
            let finding = match (is_hashed, index) {
                // The pieces of the template have given this finding already.
                (true, 0) => {
                    is_filled = true;
                    continue;
                }
                // Raw in an encoded text: `%7B%22id%22%3A%22#s2#%22%7D`.
                (true, _) if value.contains(found.text) => continue,
                (true, _) if KNOWN.contains(&found.name) => encoded(found.name),
                (true, _) => unknown(found.name),
                (false, _) => foreign_macro(&found),
            };
            if !findings
                .iter()
                .skip(start)
                .any(|other| other.parameter == finding.parameter)
            {
                findings.push(finding);
            }
        }
    }
    if findings.len() > start {
        return;
    }
    let decoded = readings
        .get(1)
        .or(readings.first())
        .map(AsRef::as_ref)
        .unwrap_or_default();
    let spelt = plain.as_deref().unwrap_or(decoded);
    if let Some(half) = marked::half(spelt).filter(|_| !value.contains('#')) {
        findings.push(marked::unclosed(half));
    } else if is_filled {
        findings.extend(marked::quotes(name, spelt));
    } else if let Some(found) = marked::find(spelt) {
        findings.push(foreign_macro(&found));
    }
    if findings.len() > start {
        return;
    }
    // Most words of a path in small letters are its own text.
    let is_unfilled = if name.is_empty() && spelt.contains(char::is_lowercase) {
        foreign::is_unfilled_segment(spelt)
    } else {
        foreign::is_unfilled(name, spelt)
    };
    if is_unfilled && !is_filled {
        findings.push(lint::placeholder(if name.is_empty() {
            decoded
        } else {
            name
        }));
    } else {
        lint::spoilt_value(name, value, &readings, findings);
    }
}

/// `%23price%23`: a browser or a form has encoded the marks.
fn encoded(name: &str) -> Finding {
    let sentence = format!(
        "The marks of this macro are percent-encoded, so CAKE does not see it. Write #{name}#."
    );
    Finding::new("encoded_macro", name, sentence)
}

fn foreign_macro(found: &Foreign<'_>) -> Finding {
    let advice = match own(found.name) {
        Some("s2") => {
            "Write #s2# where the partner's own click id is in s2, or #reqsessid# for CAKE's."
                .to_owned()
        }
        Some(right) => format!("Write #{right}#."),
        None => "Leave it out, or write one of CAKE's own, #name#.".to_owned(),
    };
    let sentence = format!(
        "This is another tool's macro or placeholder: CAKE sends it as it stands. {advice}"
    );
    Finding::new("foreign_macro", found.name, sentence)
}

/// CAKE's macros for other tools' names.
const OWN: [(&str, &str); 11] = [
    ("leadid", "conversionid convid leadid"),
    (
        "s2",
        "clickid affclickid pubclickid subid affsub externalid aff_click_id cid click reqid requestid gclid ttclid fbclid sub",
    ),
    (
        "price",
        "payout amount price revenue sum commission payoutamount totalpayout publisherpayout saleamount cost value",
    ),
    ("status", "status conversionstatus leadstatus state"),
    (
        "affid",
        "affiliateid affid aff affiliate publisherid pubid partnerid",
    ),
    ("oid", "offerid oid offer"),
    ("campid", "campaignid campid campaign"),
    ("cid", "creativeid bannerid creative banner adid"),
    (
        "tid",
        "transactionid txid tid orderid saleid transaction order",
    ),
    ("ip", "ip userip clickip ipaddress sessionip"),
    (
        "utcunixtime",
        "timestamp ts time unixtime unixtimestamp conversiontime datetime",
    ),
];

fn own(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let digit = plain
        .strip_prefix("affsub")
        .or(plain.strip_prefix("subid"))
        .or(plain.strip_prefix("sub"));
    let sub_id = digit.and_then(|digit| {
        KNOWN
            .iter()
            .find(|known| known.strip_prefix('s') == Some(digit))
    });
    let by_name = || {
        OWN.iter()
            .find(|(_, names)| names.split(' ').any(|other| other == plain))
    };
    // `{reqsessid}`: CAKE's own name in another tool's marks.
    let by_own_name = || KNOWN.into_iter().find(|known| *known == plain);
    sub_id
        .copied()
        .or_else(|| by_name().map(|(right, _)| *right))
        .or_else(by_own_name)
}

/// Expands every `#name#` that `value_of` knows; the value is percent-encoded. Unknown macros stay
/// literally, as in CAKE.
///
/// ```
/// use cake_edge::macros::expand;
///
/// let url = expand("https://p.example/?id=#reqsessid#&x=#y#", |name| {
///     (name == "reqsessid").then(|| "a b".to_owned())
/// });
/// assert_eq!(url, "https://p.example/?id=a%20b&x=#y#");
/// ```
#[must_use]
pub fn expand(template: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Mark => out.push('#'),
            Piece::Macro(name) => {
                if let Some(value) = value_of(name) {
                    push_encoded(&mut out, &value);
                } else {
                    out.push('#');
                    out.push_str(name);
                    out.push('#');
                }
            }
        }
    }
    out
}

/// A part of a template.
enum Piece<'a> {
    /// `#name#`, without its marks.
    Macro(&'a str),
    /// A `#` that belongs to no macro.
    Mark,
    /// Anything else.
    Text(&'a str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    core::iter::from_fn(move || {
        let Some(after) = rest.strip_prefix('#') else {
            let end = rest.find('#').unwrap_or(rest.len());
            let (text, tail) = rest.split_at_checked(end)?;
            rest = tail;
            return (!text.is_empty()).then_some(Piece::Text(text));
        };
        let named = after.split_once('#').filter(|(name, _)| is_name(name));
        rest = named.map_or(after, |(_, tail)| tail);
        Some(named.map_or(Piece::Mark, |(name, _)| Piece::Macro(name)))
    })
}

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
