//! Macros in postback URLs: `#reqsessid#`, `#price#`, `#s1#` …, and the tokens
//! that CAKE fills into an offer's landing page URL.

use crate::url::push_encoded;

/// Expands every `#name#` that `value_of` knows, its value percent-encoded.
/// Unknown macros stay literally, as CAKE leaves them.
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
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('#') {
        out.push_str(before);
        let value = after
            .split_once('#')
            .and_then(|(name, tail)| value_of(name).map(|value| (value, tail)));
        if let Some((value, tail)) = value {
            push_encoded(&mut out, &value);
            rest = tail;
        } else {
            out.push('#');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str) -> Option<String> {
        match name {
            "reqid" => Some("id-1".into()),
            "s1" => Some("a&b=#c".into()),
            _ => None,
        }
    }

    #[test]
    fn values_are_encoded_and_never_expanded_again() {
        assert_eq!(
            expand("/?r=#reqid#&s=#s1#", values),
            "/?r=id-1&s=a%26b%3D%23c"
        );
    }

    #[test]
    fn unknown_macros_and_lone_marks_stay() {
        assert_eq!(
            expand("/?x=#nope#&r=#reqid##", values),
            "/?x=#nope#&r=id-1#"
        );
        assert_eq!(expand("#", values), "#");
        assert_eq!(expand("#a#reqid#", values), "#aid-1");
    }
}
