//! The text of `Cookie` and `Set-Cookie`. Values never break out of their field.

use crate::{Error, Result};

/// A cookie to set. `Path=/` and `SameSite=Lax` always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// The cookie's name: a token of RFC 6265.
    pub name: &'a str,
    /// The value: no quotes, commas, semicolons, backslashes or white space.
    pub value: &'a str,
    /// How long it lives, in whole days; 0 deletes it.
    pub max_age_days: u32,
    /// `Secure`: everywhere but on http loopback.
    pub is_secure: bool,
}

impl SetCookie<'_> {
    /// The text for `document.cookie` or a `Set-Cookie` header.
    ///
    /// # Errors
    /// [`Error::InvalidCookie`].
    pub fn build(&self) -> Result<String> {
        if self.name.is_empty() || !self.name.bytes().all(is_token_byte) {
            return Err(Error::InvalidCookie { parameter: "name" });
        }
        if !self.value.bytes().all(is_value_byte) {
            return Err(Error::InvalidCookie { parameter: "value" });
        }
        let mut out = String::with_capacity(self.name.len() + self.value.len() + 64);
        out.push_str(self.name);
        out.push('=');
        out.push_str(self.value);
        out.push_str("; Path=/; Max-Age=");
        crate::url::push_number(&mut out, u64::from(self.max_age_days) * 86_400, 10);
        out.push_str("; SameSite=Lax");
        if self.is_secure {
            out.push_str("; Secure");
        }
        Ok(out)
    }
}

/// The value of the first cookie called `name` in a `Cookie` header (or
/// `document.cookie`).
#[must_use]
pub fn find_cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_written_in_full() {
        let cookie = SetCookie {
            name: "cake_click",
            value: "1.abc.x",
            max_age_days: 30,
            is_secure: true,
        };
        assert_eq!(
            cookie.build().unwrap(),
            "cake_click=1.abc.x; Path=/; Max-Age=2592000; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn nothing_breaks_out_of_its_field() {
        for (name, value, parameter) in [
            ("", "x", "name"),
            ("a b", "x", "name"),
            ("a=b", "x", "name"),
            ("a", "x; Domain=evil.example", "value"),
            ("a", "x\r\nSet-Cookie: b=c", "value"),
            ("a", "ä", "value"),
        ] {
            let cookie = SetCookie {
                name,
                value,
                max_age_days: 1,
                is_secure: true,
            };
            assert_eq!(cookie.build(), Err(Error::InvalidCookie { parameter }));
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let header = "xcake_click=1; cake_click=2; cake_click=3; empty=; flag";
        assert_eq!(find_cookie(header, "cake_click"), Some("2"));
        assert_eq!(find_cookie(header, "empty"), Some(""));
        assert_eq!(find_cookie(header, "flag"), None);
    }
}
