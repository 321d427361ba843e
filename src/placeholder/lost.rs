//! Lost values and template leftovers among the ids of orders: behind a shop's prefix, and as
//! languages write an object's address.
//!
//! Only servers and the edge have these rules. A page leaves such ids to them: CAKE makes the click
//! ids that a page reads, and no CAKE writes `ORD-` before one.

use super::{
    BESIDE, MAX_BYTES, MISSING, ORDERS, RARE, has_no_other_word, has_only_words, is_variable,
};

/// More words that shops write before a number: `INV-`, `shop-order-`.
const BEFORE_NUMBERS: &[u8] = b"shop store web online woo shopify magento acct bill so po wc eu uk us de nr \
    bestellung bestellnr auftrag rechnung kunde commande facture pedido factura ordine fattura encomenda zamowienie";

/// The longest name before a mark that is taken for a prefix whatever it says, in bytes.
const MAX_SHORT_PREFIX: usize = 4;

/// The last words of an id that has lost its value: `ORD-None`. Behind a prefix, `na`, `no` and `id`
/// may be Namibia, Norway and Idaho.
const LAST: &[u8] =
    b"undefined null nan nil none nul undef nat n/a unset unknown missing tbd todo fixme xxx placeholder";

/// Is a part of the text a lost value or a template's leftover: `ORD-None`, `ORDnull`,
/// `ORD-YOUR_ID`, `ORD-$id`, `ORD-%s`, `&nbsp;`, `com.shop.Order@1b2c3d`?
///
/// With a number beside a word, the text may still tell two orders apart: `ORD-98765-null`.
#[inline(never)]
pub(super) fn has_leftover(text: &str) -> bool {
    if text.len() > MAX_BYTES {
        return false;
    }
    if is_address_of_object(text)
        || has_printf(text.as_bytes())
        || is_entity(text)
        || is_error_of_sheet(text)
    {
        return true;
    }
    if text.contains(|c: char| c.is_numeric()) {
        return false;
    }
    let small = text.to_ascii_lowercase();
    small.contains("undefined")
        || small.ends_with("null") && is_spelt(text.get(text.len() - 4..).unwrap_or_default())
        || is_name_of_id(text)
        || ends(text).any(is_end_of_lost)
}

/// The word before the number of a spreadsheet's error, in its users' languages.
const ERRORS: &str = "err error erreur erro errore eroare fehler fout fel feil fejl virhe hata hiba chyba błąd \
    klaida viga greška napaka ошибка помилка грешка σφάλμα エラー 错误 錯誤 오류";

/// What a spreadsheet writes while it has not found the value.
const LOADING: &str = "loading... loading…";

/// A spreadsheet's error with a number, as `LibreOffice` writes them: `Err:502`, `Err :508`, `Ошибка:522`. Or its word while
/// it looks for a value: `Loading...`.
#[inline(never)]
pub(crate) fn is_error_of_sheet(text: &str) -> bool {
    let is_among = |list: &str, word: &str| list.split_ascii_whitespace().any(|own| own == word);
    let text = text.trim().to_lowercase();
    is_among(LOADING, &text)
        || text.split_once(':').is_some_and(|(word, number)| {
            let number = number.trim().as_bytes();
            matches!(number, [b'5', b'0'..=b'9', b'0'..=b'9']) && is_among(ERRORS, word.trim())
        })
}

/// Is the text only the name of an id: `SHOP_ID`, `product_id`? No number in it tells two apart.
fn is_name_of_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(name, id)| {
        matches!(id, "id" | "ID" | "Id")
            && name
                .split('_')
                .all(|word| word.len() > 1 && word.is_ascii() && is_spelt(word))
    })
}

/// Is this a word as people and programs write it: `none`, `NONE`, `None`? Random ids change between
/// capitals and small letters anywhere.
fn is_spelt(word: &str) -> bool {
    let small = word.bytes().filter(u8::is_ascii_lowercase).count();
    let is_one_case = small == 0 || small == word.len();
    let is_capitalised = small + 1 == word.len() && word.starts_with(|c: char| c.is_uppercase());
    word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (is_one_case || is_capitalised || matches!(word, "NaN" | "NaT"))
}

/// Is this only what a shop writes before an order's number: `ORD-`, `order #`, `INV/`, `shop-order-`?
///
/// Random ids end in `-`, `_`, `/` and `=` too (nanoid, base64). So a longer name counts only where
/// one of its words is one of shops', and the others are words.
#[inline(never)]
pub(crate) fn is_prefix(id: &str) -> bool {
    let is_marked = id.len() > 2
        && id.len() <= MAX_BYTES
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.ends_with(['-', '_', '#', ':', '/', '='])
        && !id.contains(|c: char| c.is_numeric())
        // Base64 ends in `=` too.
        && !id.ends_with("==")
        && base64(id).is_none();
    if !is_marked {
        return false;
    }
    let name = id.trim_end_matches(|c: char| !c.is_alphanumeric());
    if name.len() <= MAX_SHORT_PREFIX && is_spelt(name) {
        return true;
    }
    let lists = [MISSING, RARE, BESIDE, ORDERS, BEFORE_NUMBERS];
    let is_known = |word: &str| word.len() > 2 && has_only_words(word.as_bytes(), &lists, &[]);
    let words = || {
        name.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    words().any(is_known) && words().all(|word| is_known(word) || is_spelt(word))
}

/// What follows each mark in the text, with the mark.
fn ends(text: &str) -> impl Iterator<Item = (char, &str)> {
    let is_mark = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric();
    let marks = text.char_indices().filter(move |(_, c)| is_mark(*c));
    marks.filter_map(|(at, mark)| Some((mark, text.get(at + mark.len_utf8()..)?)))
}

#[inline(never)]
fn is_end_of_lost((mark, end): (char, &str)) -> bool {
    if !end.contains(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let bytes = end.as_bytes();
    // Random ids end in marks and two letters, such as `…_-id`.
    let bare = end.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_word = |list: &[u8]| {
        list.split(|byte| *byte == b' ')
            .any(|word| word.eq_ignore_ascii_case(bare.as_bytes()))
    };
    // `el-cid` and `brand-name` may be meant; `YOUR_ID` and `orderId` are two words.
    let is_asked_for = || {
        has_only_words(bytes, &[MISSING, RARE], &[BESIDE, ORDERS])
            && (mark == '$' || !is_word(MISSING) && !is_word(RARE))
    };
    let is_lost = || {
        let mut words = end
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        has_no_other_word(bytes, LAST, b"") && words.all(is_spelt)
    };
    is_lost() || is_asked_for() || is_variable(bytes) || is_entity(end)
}

/// `&nbsp;`, `&#160;`: a character of HTML, and nothing else.
#[inline(never)]
fn is_entity(text: &str) -> bool {
    text.strip_prefix('&')
        .and_then(|rest| rest.strip_suffix(';'))
        .is_some_and(|name| {
            let digits = name.strip_prefix('#').unwrap_or(name);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// `com.shop.Order@1b2c3d`, `[Lcom.shop.Order;@1b2c3d`: another one for the same order each time.
#[inline(never)]
fn is_address_of_object(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(class, address)| {
        let is_class = class.matches('.').count() > 1 || class.starts_with('[');
        let is_address = (1..=8).contains(&address.len())
            && address.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_class && is_address && !class.contains(' ')
    })
}

/// `%s`, `ORD-%d`, `%05d`, `%1$s`: what a program's format had no value for. `50%` and `%20` are none.
#[inline(never)]
fn has_printf(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let is_share = at > 0 && text.get(at - 1).is_some_and(u8::is_ascii_digit);
        // No id has an encoded control character: `%05d` is a width.
        let is_escape = matches!(rest, [first, second, ..] if first.is_ascii_hexdigit()
            && second.is_ascii_hexdigit() && !matches!(first, b'0' | b'1'));
        let is_width = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'$' | b'.');
        let end = rest.iter().position(|byte| !is_width(byte));
        let kind = end.and_then(|end| rest.get(end..)).unwrap_or_default();
        *byte == b'%'
            && !is_share
            && !is_escape
            && matches!(
                kind.first(),
                Some(b's' | b'd' | b'i' | b'u' | b'@' | b'S' | b'D' | b'I' | b'U')
            )
            && !kind.get(1).is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// The bytes of a padded base64 text, as Magento's and GraphQL's ids are: `MQ==` is `1`. The last
/// letter has no bits too many, so that `ord=` is none.
#[inline(never)]
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.strip_suffix('=')?;
    let body = body.strip_suffix('=').unwrap_or(body);
    if !text.len().is_multiple_of(4) || text.len() > MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u16, 0);
    for letter in body.bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u16::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_le_bytes().first());
            bits &= (1 << count) - 1;
        }
    }
    (bits == 0 && !bytes.is_empty()).then_some(bytes)
}

/// Does a base64 text hold a word for a missing value, and nothing else: `bnVsbA==`? Of four random
/// bytes many are signs alone or look like a template, and two are `no` as often as any other two.
#[inline(never)]
pub(super) fn is_missing_in_base64(bytes: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'_' | b'-');
    bytes == b"0"
        || bytes.len() > 3
            && bytes.iter().all(is_word)
            && bytes.iter().any(u8::is_ascii_alphabetic)
            && has_only_words(bytes, &[MISSING, RARE], &[BESIDE, ORDERS])
}

#[cfg(test)]
mod tests {
    use crate::transaction_id::check;

    /// `SplitMix64`: the same ids at each run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn text(&mut self, alphabet: &[u8], length: usize) -> String {
            let size = u64::try_from(alphabet.len()).unwrap();
            let mut letter = || alphabet[usize::try_from(self.next() % size).unwrap()];
            (0..length).map(|_| char::from(letter())).collect()
        }

        /// So many random bytes in base64 with `=` at the end, or in base64url without.
        fn base64(&mut self, bytes: usize, is_for_url: bool) -> String {
            let marks: &[u8] = if is_for_url { b"-_" } else { b"+/" };
            let alphabet = [LETTERS, marks].concat();
            let bits = bytes * 8;
            let mut text = self.text(&alphabet, bits / 6);
            // The last letter has zeros behind the bytes' own bits.
            let step = 1_usize << (6 - bits % 6);
            if !bits.is_multiple_of(6) {
                let last: Vec<u8> = alphabet.iter().copied().step_by(step).collect();
                text.push_str(&self.text(&last, 1));
            }
            while !is_for_url && !text.len().is_multiple_of(4) {
                text.push('=');
            }
            text
        }
    }

    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const HEX: &[u8] = b"0123456789abcdef";
    const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// Random ids, as libraries make them and shops and backends use them for orders.
    fn made(random: &mut Random) -> Vec<String> {
        let url_safe = [LETTERS, b"-_"].concat();
        let hex = random.text(HEX, 32);
        let mut ids = vec![
            format!(
                "{}-{}-4{}-a{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..]
            ),
            hex,
            format!("01{}", random.text(CROCKFORD, 24)),
            format!(
                "c{}",
                random.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 24)
            ),
            format!("2{}", random.text(LETTERS, 26)),
        ];
        for length in [8, 10, 16, 21, 22, 24] {
            ids.push(random.text(&url_safe, length));
        }
        for bytes in [4, 6, 8, 9, 12, 15, 16, 18, 20, 32] {
            ids.push(random.base64(bytes, false));
            ids.push(random.base64(bytes, true));
        }
        for prefix in ["ord_", "ORD-", "order#"] {
            ids.push([prefix, &random.text(&url_safe, 12)].concat());
        }
        ids
    }

    #[test]
    fn no_random_id_is_a_lost_value_or_a_prefix() {
        let mut random = Random(1);
        let times = option_env!("RANDOM_IDS").map_or(2_000, |times| times.parse().unwrap());
        let mut refused = Vec::new();
        for _ in 0..times {
            let ids = made(&mut random);
            refused.extend(ids.into_iter().filter(|id| check("orderId", id).is_err()));
        }
        assert!(refused.is_empty(), "{} refused: {refused:?}", refused.len());
    }
}
