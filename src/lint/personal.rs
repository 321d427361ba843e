//! Sub ids that name a person, or one click.

use std::borrow::Cow;

pub(crate) fn is_email(value: &str) -> bool {
    value.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !user.contains(char::is_whitespace) && crate::host::is_host_name(host)
    })
}

/// `+49 89 1234567`, `(555) 123-4567`, `555-123-4567`: digits alone are an id. So are groups of them
/// that no country writes a number in: `978-3-16-148410-0`, `120-600-1200`.
pub(super) fn is_phone(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_written_like_one = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b" +-().".contains(&byte));
    let groups = value
        .split([' ', '-', '.', ')'])
        .filter(|group| !group.is_empty())
        .count();
    is_written_like_one
        && (7..=15).contains(&digits)
        && !has_date(value)
        && !is_ip_address(value)
        && (value.starts_with('+') || groups >= 3 && digits >= 9 && has_area_code(value))
}

/// Does it begin like a number within a country: `(555) 123-4567`, `555-123-4567`, `1-555-…`, `089 …`?
/// In America no area begins with 0 or 1, and elsewhere the trunk is a 0.
fn has_area_code(value: &str) -> bool {
    let groups: Vec<&str> = value
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let groups = groups.strip_prefix(&["1"]).unwrap_or(&groups);
    let is_american = |group: &str| group.len() == 3 && !group.starts_with(['0', '1']);
    match groups {
        [area, exchange, line] if is_american(area) => exchange.len() == 3 && line.len() == 4,
        [area, ..] => area.len() > 1 && area.starts_with('0'),
        [] => false,
    }
}

/// Has it a day: `2024-11-29-001`, `29.11.2024 12`? Shops number the orders of a day.
fn has_date(value: &str) -> bool {
    let is_number = |text: &str, length: core::ops::RangeInclusive<usize>, most: u16| {
        length.contains(&text.len())
            && text
                .parse()
                .is_ok_and(|number: u16| (1..=most).contains(&number))
    };
    let is_year = |text: &str| {
        text.len() == 4
            && (text.starts_with("19") || text.starts_with("20"))
            && text.parse::<u16>().is_ok()
    };
    let is_month_and_day = |one: &str, other: &str| {
        is_number(one, 1..=2, 31)
            && is_number(other, 1..=2, 31)
            && (is_number(one, 1..=2, 12) || is_number(other, 1..=2, 12))
    };
    let groups: Vec<&str> = value.split([' ', '-', '.']).collect();
    groups.windows(3).any(|three| match three {
        [first, second, third] => {
            is_year(first) && is_month_and_day(second, third)
                || is_year(third) && is_month_and_day(first, second)
        }
        _ => false,
    })
}

fn is_ip_address(value: &str) -> bool {
    value.parse::<core::net::Ipv4Addr>().is_ok()
}

/// A UUID, a long number or timestamp, a long hexadecimal text, or Meta's `fb.1.1700000000.123456789`.
pub(super) fn is_unique(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain: Cow<'_, str> = if value.contains('-') {
        value.replace('-', "").into()
    } else {
        value.into()
    };
    let is_hex = plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    // `2026-01-01T10:00:00Z`; two days without a time are a range.
    let is_moment = digits >= 14
        && value.contains(':')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:.+ TZ".contains(&byte));
    let is_metas = digits >= 14 && value.starts_with("fb.1.");
    is_moment
        || is_metas
        || (is_hex && plain.len() >= 16 && digits > 0)
        || (digits == value.len() && digits >= 9)
}
