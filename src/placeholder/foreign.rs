//! Macros and placeholders of other tools: trackers, ad networks, mailers,
//! templates and programming languages. CAKE expands none of them.
//!
//! The list has spellings, not names: each network has its own names. Text in such marks that could
//! be somebody's plain text counts only with a name that such tools have, see [`is_macro_name`].

mod code;

use super::has_no_other_word;
use code::{is_code, is_shortcode, is_tag_of_mailers, is_variable_at_end};

/// The longest name of a macro that is searched for, in bytes.
const MAX_NAME_BYTES: usize = 80;

/// The text that may stand between a pair of marks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Anything with a letter or a digit.
    Anything,
    /// A name, anywhere.
    Name,
    /// A name, where no letter or digit stands before or after the marks.
    FreeName,
    /// Like `FreeName`, and written like a macro: `[running shoes]` is a keyword's match type.
    LikelyName,
    /// Like `FreeName`, and one of the names that such tools have.
    KnownName,
}

/// The marks, the longer ones first, with some of the tools that write them.
const MARKS: [(&str, &str, Between); 50] = [
    ("%%[", "]%%", Between::Anything), // Salesforce
    ("%%", "%%", Between::Anything),   // Google Ad Manager, Salesforce, Bronto
    ("{{{", "}}}", Between::Anything), // Handlebars
    ("{{", "}}", Between::Anything),   // Meta, Snapchat, Liquid, Klaviyo, Braze
    ("{%", "%}", Between::Anything),   // Liquid, Django
    ("${", "}", Between::Anything),    // PropellerAds, Display & Video 360, Branch
    ("%{", "}", Between::Anything),    // Moloco, Ruby
    ("%(", ")", Between::Anything),    // Python
    ("#{", "}", Between::Anything),    // Ruby
    ("@{", "}", Between::Anything),    // Thymeleaf
    ("{", "}", Between::Name),         // Voluum, Binom, TUNE, ValueTrack, Taboola
    ("[[", "]]", Between::Anything),   // GetResponse, Constant Contact
    ("[=", "=]", Between::Anything),   // LinkTrust
    ("[*", "*]", Between::Anything),   // Search Ads 360
    ("[%", "%]", Between::Anything),   // SendGrid, Selligent
    ("[#", "#]", Between::Anything),
    ("[", "]", Between::LikelyName), // Kadam, PopAds, VAST
    ("<%", "%>", Between::Anything), // ERB, Adobe Campaign
    ("<?", "?>", Between::Anything), // PHP
    ("<<", ">>", Between::FreeName),
    ("<", ">", Between::FreeName),            // manuals
    ("\u{ab}", "\u{bb}", Between::KnownName), // Word; `«Весна»` is a title
    ("\u{2039}", "\u{203a}", Between::KnownName),
    ("\u{3010}", "\u{3011}", Between::KnownName),
    ("\u{300c}", "\u{300d}", Between::KnownName),
    ("*|", "|*", Between::Anything), // Mailchimp
    ("|*", "*|", Between::Anything), // the same, misspelt
    ("((", "))", Between::Anything),
    ("||", "||", Between::FreeName),
    ("|", "|", Between::LikelyName),
    ("!!!", "!!!", Between::Anything), // Awin
    ("!!", "!!", Between::FreeName),
    ("!", "!", Between::LikelyName),
    ("@@", "@@", Between::Anything),
    ("@", "@", Between::LikelyName), // Passendo, dotdigital
    ("~~", "~~", Between::Anything), // Eloqua
    ("~", "~", Between::LikelyName), // Keap
    ("$$", "$$", Between::FreeName),
    ("$", "$", Between::LikelyName), // Outbrain, Responsys
    ("##", "##", Between::Anything), // Adsterra
    ("#", "#", Between::Name),       // CAKE, where it knows the name
    ("__", "__", Between::FreeName), // TikTok, Kwai
    ("_", "_", Between::KnownName),  // TikTok's, misspelt
    ("%", "%", Between::FreeName),   // SendGrid, ActiveCampaign
    ("(", ")", Between::KnownName),  // AppsFlyer, Trackier
    ("--", "--", Between::KnownName),
    ("-", "-", Between::KnownName), // SendGrid
    ("*", "*", Between::KnownName),
    ("^", "^", Between::KnownName),
    (":", ":", Between::KnownName), // routes
];

/// Tags of HTML, which are no placeholders although they look like `<name>`.
const TAGS: [&str; 20] = [
    "a", "b", "body", "br", "center", "div", "em", "font", "html", "i", "img", "li", "p", "s",
    "span", "strong", "table", "td", "u", "ul",
];

/// Words for a macro's name: at least one of these, or two of [`BESIDE`].
const NAMED: &[u8] = b"id ids subid clickid cid sid aid oid pid tid rid lid gclid msclkid fbclid ttclid twclid awc gaid idfa idfv \
    oaid imei adid affid uuid guid uid epi sub affsub subaff clickref ip useragent ua timestamp ts payout cachebuster cb random rand \
    lpurl reqid reqsessid param macro token subacc externalid zoneid siteid ord cpid crid lpid dclid yclid wbraid gbraid";

/// Words that are combined with those.
const BESIDE: &[u8] = b"click campaign camp source src aff affiliate adv advertiser pub publisher partner offer order transaction \
    trans tx unique request req session sess zone site ad ads adset adgroup group banner creative placement app bundle device \
    os browser carrier isp country geo region city lang language keyword kw term match type network media traffic channel event \
    goal lead conversion conv sale user visitor external ext track tracking tracker custom agent full subscriber contact recipient data value amount price cost bid \
    currency revenue commission name first last email hash sha md sum unix time date url ref referrer referer status code key \
    number num no your my the insert replace enter put paste fill with here";

/// A macro that CAKE does not expand, as it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign<'a> {
    /// The whole macro, marks and name.
    pub(crate) text: &'a str,
    /// The name alone.
    pub(crate) name: &'a str,
}

/// The macros in one value of a URL, in order. `#name#` is among them, also CAKE's own: the caller
/// knows which of those count.
pub(crate) fn find(value: &str) -> Vec<Foreign<'_>> {
    let mut found = Vec::new();
    let mut rest = value;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let length = match find_at(rest, before) {
            Some(foreign) => {
                found.push(foreign);
                foreign.text.len()
            }
            None => first.len_utf8(),
        };
        let (past, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        before = past.chars().next_back();
        rest = tail;
    }
    if found.is_empty() {
        found.extend(find_whole(value));
    }
    found
}

/// The macro at the start of this text, where there is one.
fn find_at(text: &str, before: Option<char>) -> Option<Foreign<'_>> {
    MARKS.iter().find_map(|(open, close, between)| {
        let inner = text.strip_prefix(open)?;
        let end = inner
            .match_indices(close)
            .map(|(at, _)| at)
            .find(|at| *at > 0)?;
        let (name, tail) = inner.split_at_checked(end)?;
        let after = tail.get(close.len()..)?;
        // `{{{x}}}`: the name ends before the last of the marks.
        // `items[0][name]`: brackets after a name or a bracket are an index.
        let is_free = !before.is_some_and(|c| {
            is_word(c) || c == '_' && open.starts_with('_') || c == ']' && *open == "["
        }) && !after.starts_with(|c| is_word(c) || c == '_' && *open == "__");
        // `fb[clickid]`, `fb__CLICKID__`: behind other text only with a name of two words.
        let is_free = is_free
            || matches!(*open, "[" | "<" | "%" | "__" | "$")
                && before.is_some_and(is_word)
                && !after.starts_with(|c| is_word(c) || c == '_' && *open == "__")
                && is_compound_of_macros(name);
        let fits = match between {
            Between::Anything => has_word(name) && name.len() <= MAX_NAME_BYTES,
            Between::Name if *open == "#" => is_name(name) && name.len() <= 32,
            Between::Name => is_in_braces(name),
            Between::FreeName => {
                is_free
                    && is_name(without_fallback(name))
                    && (name.len() > 1
                        || *open == "__" && name.starts_with(|c: char| c.is_ascii_uppercase()))
                    && !(*open == "<" && is_tag(name))
            }
            Between::LikelyName => {
                let bare = without_fallback(name);
                is_free && bare.len() > 1 && is_name(bare) && is_likely(bare)
                    || *open == "[" && is_shortcode(name)
            }
            Between::KnownName => is_free && is_name(name) && is_macro_name(name),
        };
        let whole = text.get(..open.len() + end + close.len())?;
        fits.then_some(Foreign {
            text: whole,
            name: bare(without_fallback(name)),
        })
    })
}

/// Finds a macro that counts as a whole value only: `$clickid`, `:clickid`, `{clickid`, `%s`,
/// `%1$s`, `%ebuy!`.
fn find_whole(value: &str) -> Option<Foreign<'_>> {
    let is_edge = |c: char| c.is_ascii_punctuation() || c == ' ';
    let name = value.trim_matches(is_edge);
    // `us__search__id__` ends in `_`, like some names.
    let is_marked = value.starts_with(is_edge) || value.ends_with(|c| is_edge(c) && c != '_');
    let is_decorated = is_marked && is_name(name) && is_macro_name(name);
    // `%20x` is a space and a letter.
    let is_escape = value
        .get(1..3)
        .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_printf = value
        .strip_prefix('%')
        .filter(|_| !is_escape)
        .is_some_and(|rest| {
            let kind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$');
            kind.len() == 1 && kind.starts_with(|c: char| c.is_ascii_lowercase() || c == '@')
        });
    let is_campaign_manager = value
        .strip_prefix("%e")
        .and_then(|rest| rest.strip_suffix('!'))
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()));
    // AppsFlyer's marks; `(sale)` and its like may be plain text.
    let is_in_parentheses = value.starts_with('(')
        && [
            "campaign",
            "country",
            "city",
            "region",
            "carrier",
            "publisher",
            "placement",
        ]
        .iter()
        .any(|known| value.get(1..) == Some(&[*known, ")"].concat()));
    let is_found = is_decorated
        || is_in_parentheses
        || is_printf
        || is_campaign_manager
        || is_tag_of_mailers(value)
        || is_variable_at_end(value)
        || is_code(value);
    is_found.then_some(Foreign { text: value, name })
}

/// A name of at least two of the macros' words: `clickid`, `sub_id`; `id` and `ip` are none.
fn is_compound_of_macros(name: &str) -> bool {
    name.len() > 4 && is_name(name) && is_macro_name(name)
}

/// Is this written like a macro's name: of such names' words alone (`email`, `Click ID`), or without
/// spaces in capitals (`CACHEBUSTING`) or as a compound with such a word at its end (`WidgetId`)?
/// `[US]` is a country, `[Brand]` and `~promo~` are plain.
fn is_likely(name: &str) -> bool {
    let is_shouted = || name.len() > 2 && !name.contains(|c: char| c.is_lowercase() || c == ' ');
    let ends_in_word = || {
        let small = name.to_ascii_lowercase();
        let words = NAMED
            .split(|byte| *byte == b' ')
            .chain(BESIDE.split(|byte| *byte == b' '));
        let mut words = words.filter(|word| word.len() > 1);
        !name.contains(' ')
            && is_compound(name)
            && words.any(|word| small.as_bytes().ends_with(word))
    };
    // `[object Object]` is what JavaScript writes.
    let is_object = name.starts_with("object ");
    is_word_of_macros(name) || is_shouted() || ends_in_word() || is_object
}

/// Has the name two parts: `clickId`, `click_id`?
fn is_compound(name: &str) -> bool {
    let mut before = 'A';
    name.chars().any(|c| {
        let is_hump = before.is_ascii_lowercase() && c.is_ascii_uppercase();
        before = c;
        is_hump || matches!(c, '_' | '-' | '.')
    })
}

/// Is this a name that trackers and networks give to macros: `clickid`, `aff_sub2`,
/// `campaign.name`? Words in plain texts do not count: `sale`, `new-york`.
pub(crate) fn is_macro_name(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    letters.contains(|c: char| c.is_ascii_alphabetic())
        && !letters.contains(' ')
        && (has_no_other_word(letters.as_bytes(), NAMED, BESIDE)
            || is_compound(&letters) && has_no_other_word(letters.as_bytes(), BESIDE, NAMED))
}

/// May this text stand in single braces? Anything with a word may, such as `{keyword:shoes}`, but
/// no .NET id, JSON, or repeat count of an expression.
fn is_in_braces(name: &str) -> bool {
    let is_id = name.len() >= 32
        && name
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_json = name.trim_start().starts_with(['"', '\'']) && name.contains(':');
    let is_times = name.contains(',')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b',');
    // `{DE} Brand` names a country, and `{1001}` an order; `{0}` is a place in a text.
    let is_country = name.len() == 2
        && name.bytes().all(|byte| byte.is_ascii_uppercase())
        && !is_word_of_macros(name);
    let is_number = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_digit());
    has_word(name)
        && name.len() <= MAX_NAME_BYTES
        && !is_country
        && !is_number
        && !name.contains(['{', '&', '/'])
        && !is_id
        && !is_json
        && !is_times
}

/// A letter or `_`, then letters, digits and `_ . : -`, with single spaces
/// among them: `[First Name]`.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !name.ends_with([' ', '.', ':', '-'])
        && name
            .chars()
            .all(|c| is_word(c) || matches!(c, '_' | '.' | ':' | '-' | ' '))
}

/// Removes a mailer's fallback for a missing value: `[email,fallback=none]`.
fn without_fallback(name: &str) -> &str {
    name.split([',', '|']).next().unwrap_or_default()
}

fn is_tag(name: &str) -> bool {
    TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

fn has_word(text: &str) -> bool {
    text.contains(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// The name without other tools' marks inside the braces: `{!name}`, `${(name)!}`.
fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| !is_word(c))
}

/// The first of a manual's words for a value to fill in.
const ASKED: [&str; 9] = [
    "your_", "insert_", "replace_", "enter_", "paste_", "put_", "change_", "fill_", "add_",
];

/// Their last word: what is asked for.
const ASKED_FOR: [&str; 10] = [
    "here",
    "id",
    "key",
    "domain",
    "value",
    "text",
    "param",
    "parameter",
    "url",
    "secret",
];

/// Whole values that ask to be replaced, without the marks between their words.
const ASKING: &str = "replace replaceme replacethis replaceit changeme changethis placeholder todo fixme tbd yourvalue \
    yourvaluehere valuehere insertvalue insertvaluehere enterhere inserthere";

/// Is this value of a URL a placeholder that nobody has replaced, or a program's text for no value?
/// Unlike [`is_missing_value`](super::is_missing_value), this function allows possible plain
/// values: `true`, `0`, `none`, `order`.
pub(crate) fn is_unfilled(name: &str, value: &str) -> bool {
    let words = || {
        value
            .split(|c: char| !is_word(c))
            .filter(|word| !word.is_empty())
    };
    let joined: String = value
        .chars()
        .filter(|c| is_word(*c))
        .collect::<String>()
        .to_ascii_lowercase();
    let is_one_of = |texts: &[&str]| texts.iter().any(|text| text.eq_ignore_ascii_case(&joined));
    let is_asked_for = words()
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case("here"))
        && words().any(|word| {
            ["id", "ids", "clickid", "subid"]
                .iter()
                .any(|id| id.eq_ignore_ascii_case(word))
        });
    let is_id = joined.len() > 2
        && value.len() <= MAX_NAME_BYTES
        && ["id", "ids", "here", "value"]
            .iter()
            .any(|end| joined.ends_with(end))
        && has_no_other_word(
            value.as_bytes(),
            b"id ids sub clickid subid reqid reqsessid",
            BESIDE,
        );
    let is_asking = ASKING.split(' ').any(|text| text == joined)
        || value.split(|c: char| !is_word(c) && c != '_').any(is_asked)
        || words().any(|word| {
            word.len() >= 4 && word.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'))
        });
    // `undefined_behavior` and `Undefined Behavior` are names.
    let is_mark = |c: char| !is_word(c) && !matches!(c, '_' | ' ');
    let is_lost = value.split(is_mark).any(|token| {
        token
            .trim_end()
            .split(['_', ' '])
            .next_back()
            .is_some_and(|word| word.eq_ignore_ascii_case("undefined"))
    }) || words().next().is_some()
        && words().all(|word| word.eq_ignore_ascii_case("null") || word == "NaN")
        || super::is_written(value)
        || is_one_of(&["InvalidDate"]);
    // `payout=PAYOUT`: the manual's word for the parameter itself.
    let is_error = super::WHOLE.contains(&value);
    let is_own_name = name.eq_ignore_ascii_case(value) && is_word_of_macros(value);
    is_id || is_asked_for || is_asking || is_lost || is_error || is_own_name
}

/// Like [`is_unfilled`], for a whole part of a path, whose words are mostly its own text: `clickid`
/// and `todo` are.
pub(crate) fn is_unfilled_segment(segment: &str) -> bool {
    let is_lost = ["undefined", "null"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(segment))
        || segment == "NaN"
        || super::is_written(segment);
    let joined: String = segment.chars().filter(|c| is_word(*c)).collect();
    let joined = joined.to_ascii_lowercase();
    let is_plain_word = matches!(
        joined.as_str(),
        "replace" | "placeholder" | "todo" | "fixme" | "tbd"
    );
    let is_asking = ASKING.split(' ').any(|text| text == joined)
        || ["your", "here"].iter().any(|word| joined.contains(word));
    is_lost || is_asking && !is_plain_word && is_unfilled("", segment)
}

/// `YOUR_SUB_ID`, `your_sub_id`, `SUBID_HERE`; small letters may be a plain text, and so may what asks
/// for nothing that a link has: `INSERT_COIN`, `YOUR_BEST_LIFE`, `CLICK_HERE`.
fn is_asked(token: &str) -> bool {
    let is_shouted = token.contains('_') && !token.contains(char::is_lowercase);
    let small = token.to_ascii_lowercase();
    let rest = ASKED.iter().find_map(|start| {
        let is_read = is_shouted || matches!(*start, "your_" | "insert_");
        small
            .strip_prefix(start)
            .filter(|rest| is_read && !rest.is_empty())
    });
    let is_asked_for = |rest: &str| {
        let last = rest.rsplit('_').find(|word| !word.is_empty());
        last.is_some_and(|last| ASKED_FOR.contains(&last)) || is_word_of_macros(rest)
    };
    let is_place = || {
        let name = ["_here", "_macro", "_placeholder", "_variable"]
            .iter()
            .find_map(|end| small.strip_suffix(end))
            .unwrap_or_default();
        is_shouted && name.len() > 1 && has_no_other_word(name.as_bytes(), NAMED, BESIDE)
    };
    rest.is_some_and(is_asked_for) || is_place() || token == "REPLACE"
}

/// Does the text consist of words of macros' names, even only one: `payout`, `s1`, `AFF_SUB`?
fn is_word_of_macros(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let is_sub_id = letters.eq_ignore_ascii_case("s") && text.len() == 2;
    letters.len() > 1 && has_no_other_word(letters.as_bytes(), BESIDE, NAMED)
        || has_no_other_word(letters.as_bytes(), NAMED, b"") && letters.len() > 1
        || is_sub_id
}
