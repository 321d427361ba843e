//! What a page says besides its rows: a failure, how many rows its list has, whether another page follows.

use super::{CONNECTIONS, Json, LISTS, Level, MAX_ROW_BYTES, Sink, Stop, Strict};
use crate::report::names::{Fields, Names, Pull};
use crate::report::row::number_of;

/// What an object or list beside the rows is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// The page itself, or what its program says of it: `meta`, `pagination`, `links`.
    Page,
    /// The error of the page.
    Error,
    /// What names a further page: `_links.next.href`.
    Further,
    #[default]
    Other,
}

/// Objects of a page that say something of it, or hold its list. Names are in lower case, and have letters and digits
/// only.
const HOLDERS: [&str; 28] = [
    "d",
    "response",
    "data",
    "orders",
    "conversions",
    "result",
    "results",
    "body",
    "payload",
    "list",
    "meta",
    "metadata",
    "responsemetadata",
    "pagingmetadata",
    "pagination",
    "paging",
    "pager",
    "page",
    "pages",
    "pageinfo",
    "hypermedia",
    "info",
    "status",
    "header",
    "links",
    "link",
    "cursor",
    "cursors",
];

/// Objects that hold GraphQL's rows at any depth, such as those of a customer.
const CONNECTED: [&str; 2] = ["orders", "conversions"];

/// Fields that name a further page; some programs always have them, and say by [`MORE`] or [`LAST`] whether there is one.
const FURTHER: [&str; 18] = [
    "next",
    "nextpage",
    "nextpageurl",
    "nextpageuri",
    "nexturl",
    "nexturi",
    "nextlink",
    "nextcursor",
    "nextpagecursor",
    "nexttoken",
    "nextpagetoken",
    "nextpagekey",
    "nextkey",
    "nextoffset",
    "nextrecordsurl",
    "odatanextlink",
    "cursor",
    "continuationtoken",
];

/// Fields that say whether there are more rows, and those that say the opposite by `false`.
const MORE: [&str; 12] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "hasmoreitems",
    "hasmorepages",
    "hasmoreresults",
    "moreresults",
    "moreitems",
    "more",
    "truncated",
    "istruncated",
    "incompleteresults",
];
const LAST: [&str; 8] = [
    "last",
    "lastpage",
    "islast",
    "islastpage",
    "done",
    "complete",
    "iscomplete",
    "payloadcomplete",
];

/// Fields that say by `true` whether there are rows before, and those that name the page that has them.
const FORMER: [&str; 3] = ["hasprevious", "haspreviouspage", "hasprev"];
const FORMER_PAGE: [&str; 10] = [
    "previous",
    "prev",
    "previouspage",
    "prevpage",
    "previouspageurl",
    "prevpageurl",
    "previousurl",
    "prevurl",
    "previouslink",
    "prevlink",
];

/// The number of rows of the list. A page has one meaning of it: the first of these kinds that it names. The first
/// kind is of the rows that were asked for, and the last one may be of the page alone.
const COUNTS: [&[&str]; 3] = [
    &["recordsfiltered", "filtercount", "filteredcount"],
    &[
        "totalrows",
        "rowcount",
        "total",
        "totalcount",
        "totalresults",
        "totalrecords",
        "totalelements",
        "totalitems",
        "totalentries",
        "totalhits",
        "totalsize",
        "totaldocs",
        "totalresultcount",
        "counttotal",
        "recordstotal",
        "recordcount",
        "resultcount",
        "odatacount",
        "numfound",
    ],
    &["count", "records"],
];

/// The number of pages of the list.
const PAGES: [&str; 7] = [
    "totalpages",
    "pagecount",
    "pagescount",
    "numpages",
    "pages",
    "lastpage",
    "totalpagecount",
];

/// Errors of a page, and values of them that say that there is none.
const ERRORS: [&str; 10] = [
    "error",
    "errors",
    "errorcode",
    "errcode",
    "errorno",
    "errormessage",
    "errormsg",
    "errmsg",
    "usererrors",
    "fault",
];
const NO_ERROR: [&str; 7] = ["0", "false", "ok", "none", "no", "success", "200"];

/// What the pages of a file say of their list.
#[derive(Debug, Default)]
pub(in crate::report) struct Facts {
    /// The number of pages, of those that name a further one, and of those that do not.
    pub(in crate::report) pages: u32,
    pub(in crate::report) further: u32,
    pub(in crate::report) ends: u32,
    /// The number of pages that follow others, and of those that do not.
    pub(in crate::report) later: u32,
    pub(in crate::report) starts: u32,
    /// The most rows and the most pages that a page says its list has; 0 where none says it.
    pub(in crate::report) stated: u64,
    pub(in crate::report) stated_pages: u64,
    /// A page of such a list is empty: the list ends before it.
    pub(in crate::report) has_end: bool,
    /// The present page, and the number of rows when it began.
    page: Said,
    began: u32,
}

/// What one page says.
#[derive(Debug, Default)]
struct Said {
    rows: [Option<u64>; COUNTS.len()],
    pages: u64,
    /// Are there more rows, by a field that says so, and by one that names them?
    has_more: Option<bool>,
    names_more: Option<bool>,
    /// The same of rows before.
    is_later: Option<bool>,
    names_former: Option<bool>,
    /// Its error says something, and its error's code that there is none.
    has_error: bool,
    has_no_error: bool,
}

fn is_among(names: &[&str], key: &[u8]) -> bool {
    names.iter().any(|name| name.as_bytes() == key)
}

/// Is it the path of a list of rows?
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_list_of_rows(path: &[u8]) -> bool {
    let mut names = path.rsplit(|&byte| byte == b'.');
    let name = names.next().unwrap_or_default();
    is_among(&LISTS, name)
        || is_connected(path)
        || is_among(&CONNECTIONS, name) && names.all(|name| is_among(&HOLDERS, name))
}

/// Is it the path of GraphQL's list of orders or conversions, whatever holds it?
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn is_connected(path: &[u8]) -> bool {
    let mut names = path.rsplit(|&byte| byte == b'.');
    let mut next_is = |list: &[&str]| names.next().is_some_and(|name| is_among(list, name));
    next_is(&CONNECTIONS) && next_is(&CONNECTED)
}

/// Is it the name of a page's error?
pub(super) fn is_error(key: &[u8]) -> bool {
    is_among(&ERRORS, key)
}

/// Does the name of a field say that the object is a page? No order has one.
pub(super) fn is_word_of_page(key: &[u8]) -> bool {
    matches!(
        key,
        b"totalpages"
            | b"pagecount"
            | b"numpages"
            | b"lastpage"
            | b"totalrows"
            | b"rowcount"
            | b"totalcount"
            | b"totalresults"
            | b"totalrecords"
            | b"totalelements"
            | b"totalentries"
            | b"hasmore"
            | b"hasnext"
            | b"hasnextpage"
            | b"nextpage"
            | b"nextpageurl"
            | b"nextpageuri"
            | b"nextpagetoken"
            | b"nextcursor"
    )
}

fn or(one: &mut Option<bool>, other: bool) {
    *one = Some(other || *one == Some(true));
}

impl Json {
    /// What an object or a list is that opens in a page.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn part_of(&self, outer: Option<Level>, is_array: bool) -> Part {
        let key = self.key.as_slice();
        match outer.map(|outer| (outer.part, outer.is_array)) {
            None | Some((Part::Page, true)) => Part::Page,
            Some((Part::Page, false)) => match key {
                _ if is_among(&ERRORS, key) => Part::Error,
                // Some name further pages in a list: `{"rel": "next"}`.
                b"links" | b"link" => Part::Page,
                _ if is_array => Part::Other,
                _ if is_among(&HOLDERS, key) => Part::Page,
                _ if is_among(&FURTHER, key) => Part::Further,
                _ => Part::Other,
            },
            // An object such as `customer` holds them: what they say is of the page.
            Some((Part::Other, false)) if !is_array && is_among(&CONNECTED, key) => Part::Page,
            Some((part, _)) => part,
        }
    }

    /// Gateways write an empty list as `null` or as an object without fields.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn note_no_list(&mut self) {
        self.lists += u32::from(is_among(&LISTS, &self.key));
    }

    pub(super) fn begin_page(&mut self) {
        self.began = self.lists + self.rows;
        self.page_facts.page = Said::default();
        self.page_facts.began = self.rows;
    }

    /// Why a page that has just ended is no page of rows.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn end_page(&mut self) -> Option<String> {
        let facts = &mut self.page_facts;
        let said = core::mem::take(&mut facts.page);
        let rows = said.rows.into_iter().flatten().next().unwrap_or(0);
        facts.pages += 1;
        facts.stated = facts.stated.max(rows);
        facts.stated_pages = facts.stated_pages.max(said.pages);
        facts.has_end |= rows > 0 && facts.began == self.rows;
        if said.is_later.or(said.names_former) == Some(true) {
            facts.later += 1;
        } else {
            facts.starts += 1;
        }
        if said.has_more.or(said.names_more) == Some(true) {
            facts.further += 1;
        } else {
            facts.ends += 1;
        }
        if self.failed {
            let message = String::from_utf8_lossy(&self.message);
            return Some(format!("it is no page of rows but a failure: {message}"));
        }
        (self.lists + self.rows == self.began).then(|| {
            let names = LISTS.join(", ");
            format!("it has no list of rows by one of these names: {names}; give the list alone")
        })
    }

    /// Refuses a page where a list beside that of the rows has rows as well, seen by its first one.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn list_beside(
        &mut self,
        input: &[u8],
        at: usize,
        is_last: bool,
        names: &Names,
        fields: &mut Fields,
    ) -> Option<Pull> {
        let mut reader = Strict::new(input, at);
        let mut sink = Sink::new(names, fields, &mut self.values);
        sink.can_be_page = true;
        match reader.value(&mut sink, 0) {
            Err(Stop::More) if !is_last && input.len() - at < MAX_ROW_BYTES => Some(Pull::More(at)),
            // GraphQL's lists hold rows of one kind, and their names are an object's.
            Ok(()) | Err(Stop::Repeated)
                if sink.is_sale() || is_among(&CONNECTIONS, &self.key) && sink.has_id() =>
            {
                Some(Pull::Refuse(format!(
                    "its list {} has rows as well, under none of the names {}: give each list alone",
                    String::from_utf8_lossy(&self.key),
                    LISTS.join(", ")
                )))
            }
            _ => None,
        }
    }

    /// Notes a value of a page that is no row's.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn notice(&mut self, value: &[u8]) {
        if value == b"null" {
            self.note_no_list();
        }
        let part = self.levels.last().map_or(Part::Other, |level| level.part);
        let text = value.strip_prefix(b"\"").unwrap_or(value);
        let text = text.strip_suffix(b"\"").unwrap_or(text);
        let is_no = matches!(text, b"null" | b"" | b"false" | b"0" | b"-1");
        let key = self.key.as_slice();
        let page = &mut self.page_facts.page;
        let is_failure = match key {
            b"success" => text == b"false",
            b"requeststatus" => !text.eq_ignore_ascii_case(b"success"),
            _ if part == Part::Page => says_failure(key, text, is_no),
            _ => false,
        };
        let mut is_message = matches!(key, b"message" | b"detail" | b"title" | b"reason")
            && matches!(part, Part::Page | Part::Error)
            || is_among(&ERRORS, key);
        match part {
            _ if is_failure => {
                self.failed = true;
                is_message |= self.message.is_empty();
            }
            Part::Error => {
                let is_code = matches!(key, b"code" | b"status");
                page.has_no_error |= is_code && says_no_error(text);
                page.has_error |= !is_no;
                is_message |= self.message.is_empty();
            }
            Part::Further if matches!(text, b"true" | b"false") => {}
            Part::Further => or(&mut page.names_more, !is_no),
            // A page that says so needs no list.
            _ if matches!(key, b"totalrows" | b"rowcount") && text == b"0" => self.lists += 1,
            Part::Page => page.note(key, text, is_no),
            // An object of any name may say it.
            Part::Other => {
                let depth = self.levels.iter().filter(|level| !level.is_array).count();
                let is_certain = is_among(&MORE, key)
                    || is_among(&FORMER, key)
                    || is_among(&FURTHER, key)
                    || matches!(key, b"totalrows" | b"rowcount");
                if depth <= 2 && is_certain {
                    page.note(key, text, is_no);
                }
            }
        }
        if is_message && !is_no {
            self.message = value.get(..200).unwrap_or(value).to_vec();
        }
    }

    /// The end of a page's error, which may say that there is none.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn end_error(&mut self) {
        let page = &mut self.page_facts.page;
        self.failed |= page.has_error && !page.has_no_error;
        (page.has_error, page.has_no_error) = (false, false);
    }
}

impl Said {
    /// Notes a field of the page itself.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    fn note(&mut self, key: &[u8], text: &[u8], is_no: bool) {
        let mut counts = self.rows.iter_mut().zip(COUNTS);
        if let Some((count, _)) = counts.find(|(_, names)| is_among(names, key)) {
            let number = number_of(text).or((text == b"0").then_some(0));
            *count = number.max(*count);
        } else if is_among(&LAST, key) && matches!(text, b"true" | b"false") {
            or(&mut self.has_more, text == b"false");
        } else if is_among(&PAGES, key) {
            self.pages = self.pages.max(number_of(text).unwrap_or(0));
        } else if is_among(&MORE, key) {
            or(&mut self.has_more, !is_no);
        } else if is_among(&FORMER, key) {
            or(&mut self.is_later, text == b"true");
        } else if is_among(&FORMER_PAGE, key) || key == b"rel" && is_among(&FORMER_PAGE, text) {
            or(&mut self.names_former, !is_no);
        } else if is_among(&FURTHER, key) {
            or(&mut self.names_more, !is_no);
        } else if key == b"rel" && text == b"next" {
            or(&mut self.names_more, true);
        }
    }
}

/// Does a field of a page say that something failed?
#[cfg_attr(small_cold, optimize(size))]
fn says_failure(key: &[u8], text: &[u8], is_no: bool) -> bool {
    let words = ["error", "fail", "failed", "failure"];
    match key {
        b"ok" | b"issuccess" | b"issuccessful" | b"succeeded" => text == b"false",
        b"iserror" | b"haserror" | b"haserrors" => text == b"true",
        b"status" | b"code" | b"statuscode" | b"httpstatus" => {
            words
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
                || number_of(text).is_some_and(|number| (400..600).contains(&number))
        }
        _ => is_among(&ERRORS, key) && !is_no && !says_no_error(text),
    }
}

fn says_no_error(text: &[u8]) -> bool {
    let mut words = NO_ERROR.iter();
    words.any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}
