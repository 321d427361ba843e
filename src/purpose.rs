//! The purpose that a request declares: browsers and link scanners fetch pages that nobody has
//! opened yet. The header is `Sec-Purpose`; its former names are `Purpose`, `X-Purpose` and
//! `X-Moz`.

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A visit, or no declared purpose.
    Visit,
    /// A prefetch, before a visit that may never come.
    Prefetch,
    /// A prerender, before a visit that may never come.
    Prerender,
}

impl Purpose {
    /// Reads the headers' values, such as `prefetch;prerender`,
    /// `prefetch;anonymous-client-ip` or `preview`.
    pub(crate) fn of<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut purpose = Self::Visit;
        for word in headers
            .into_iter()
            .flat_map(|value| value.split([';', ',']))
        {
            let is = |wanted: &str| word.trim_ascii().eq_ignore_ascii_case(wanted);
            if is("prerender") {
                return Self::Prerender;
            }
            if is("prefetch") || is("preview") {
                purpose = Self::Prefetch;
            }
        }
        purpose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_by_its_words_and_not_by_its_letters() {
        for (headers, purpose) in [
            (&["prefetch"][..], Purpose::Prefetch),
            (&[" Prefetch ;anonymous-client-ip"], Purpose::Prefetch),
            (&["preview"], Purpose::Prefetch),
            (&["prefetch;prerender"], Purpose::Prerender),
            (&["", "prefetch, x"], Purpose::Prefetch),
            (&["no-prefetching"], Purpose::Visit),
            (&[], Purpose::Visit),
        ] {
            assert_eq!(Purpose::of(headers.iter().copied()), purpose, "{headers:?}");
        }
    }
}
