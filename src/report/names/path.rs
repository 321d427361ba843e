//! How names are written where they are compared.

use crate::spoiled::is_invisible;
use std::borrow::Cow;

/// How the names begin in which Shopify has what remains.
pub(in crate::report) const CURRENT: &[u8] = b"current";

/// A caller's name, whose points lead into objects.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn path_of(name: &str) -> Vec<u8> {
    let mut path = Vec::new();
    for (index, part) in name.split('.').enumerate() {
        if index > 0 {
            path.push(b'.');
        }
        normalise(part.as_bytes(), |byte| path.push(byte));
    }
    path
}

pub(super) fn without_points(path: &[u8]) -> Vec<u8> {
    path.iter().copied().filter(|&byte| byte != b'.').collect()
}

/// Keeps letters and digits, in lower case; keeps every byte of other alphabets, but no character that nobody sees.
pub(in crate::report) fn normalise(name: &[u8], mut push: impl FnMut(u8)) {
    let visible = if name.is_ascii() {
        Cow::Borrowed(name)
    } else {
        visible(name)
    };
    for &byte in &*visible {
        if byte.is_ascii_alphanumeric() || !byte.is_ascii() {
            push(byte.to_ascii_lowercase());
        }
    }
}

/// `Order ID` may have a no-break space, and the first name a byte order mark.
#[inline(never)]
#[cfg_attr(small_cold, optimize(size))]
fn visible(name: &[u8]) -> Cow<'_, [u8]> {
    match core::str::from_utf8(name) {
        Ok(text) if text.contains(is_invisible) => {
            let text: String = text.chars().filter(|&c| !is_invisible(c)).collect();
            Cow::Owned(text.into_bytes())
        }
        _ => Cow::Borrowed(name),
    }
}
