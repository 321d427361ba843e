//! What stands beside the digits of an amount: its sign, and a currency's symbol or letters.

/// The symbols of currencies, each with the currencies that it may stand for; longer ones before those that end them.
const SYMBOLS: &[(&str, &str)] = &[
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("AU$", "AUD"),
    ("A$", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("NT$", "TWD"),
    ("MX$", "MXN"),
    ("S$", "SGD"),
    ("R$", "BRL"),
    ("$", "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY CNY"),
    ("￥", "JPY CNY"),
    ("円", "JPY"),
    ("₹", "INR"),
    ("₺", "TRY"),
    ("₩", "KRW"),
    ("₪", "ILS"),
    ("₫", "VND"),
    ("₱", "PHP"),
    ("฿", "THB"),
    ("zł", "PLN"),
    ("Kč", "CZK"),
    ("Ft", "HUF"),
    ("Fr.", "CHF"),
    ("kr.", "DKK NOK SEK ISK"),
    ("kr", "SEK NOK DKK ISK"),
];

/// The currencies whose letters are known where no column names a currency: those of the symbols, and these.
const LETTERS: &str = "RON BGN ZAR AED SAR MYR IDR RUB UAH PEN EGP";

/// An amount without what stands beside its digits.
pub(super) struct Bare<'a> {
    pub(super) digits: &'a [u8],
    pub(super) is_negative: bool,
    /// The symbol or the letters; empty where there are none.
    symbol: &'a [u8],
}

/// Takes sign and symbol off: `-22.00`, `22.00-`, `(22.00)`, `$22.00`, `-$22.00`, `$-22.00`, `22,00 €`, `EUR 22,00`.
/// What is neither stays with the digits.
pub(super) fn bare(text: &[u8], has_symbol: bool) -> Bare<'_> {
    let mut bare = Bare {
        digits: text.trim_ascii(),
        is_negative: false,
        symbol: &[],
    };
    bare.take_sign();
    if has_symbol && bare.digits.len() > 1 {
        if !bare.is_negative
            && let [b'(', inner @ .., b')'] = bare.digits
        {
            bare.digits = inner.trim_ascii();
            bare.is_negative = true;
        }
        bare.take_symbol();
        if !bare.is_negative {
            bare.take_sign();
            if let Some(rest) = bare.digits.strip_suffix(b"-") {
                bare.digits = rest.trim_ascii();
                bare.is_negative = true;
            }
        }
        if bare.symbol.is_empty() {
            bare.take_symbol();
        }
    }
    bare
}

impl Bare<'_> {
    fn take_sign(&mut self) {
        let minus = "\u{2212}".as_bytes();
        if let Some(rest) = self
            .digits
            .strip_prefix(b"-")
            .or_else(|| self.digits.strip_prefix(minus))
        {
            self.digits = rest.trim_ascii();
            self.is_negative = true;
        }
    }

    fn take_symbol(&mut self) {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let all = self.digits;
        if is_digit(all.first()) && is_digit(all.last()) {
            return;
        }
        let known = SYMBOLS.iter().find_map(|(symbol, _)| {
            let length = symbol.len();
            if all.starts_with(symbol.as_bytes()) {
                Some(all.split_at(length))
            } else if all.ends_with(symbol.as_bytes()) {
                let (rest, symbol) = all.split_at(all.len() - length);
                Some((symbol, rest))
            } else {
                None
            }
        });
        let is_letters = |part: &[u8]| part.iter().all(u8::is_ascii_alphabetic);
        let letters = || {
            if let Some((letters, rest)) = all.split_at_checked(3)
                && is_letters(letters)
            {
                return Some((letters, rest));
            }
            let (rest, letters) = all.split_at_checked(all.len().checked_sub(3)?)?;
            is_letters(letters).then_some((letters, rest))
        };
        if let Some((symbol, rest)) = known.or_else(letters) {
            self.symbol = symbol;
            self.digits = rest.trim_ascii();
        }
    }

    /// The currency that the symbol stands for; empty where it stands for several, or there is none.
    pub(super) fn currency(&self) -> &'static str {
        if self.symbol.is_empty() || !self.digits.first().is_some_and(u8::is_ascii_digit) {
            return "";
        }
        if let Some(codes) = meanings(self.symbol) {
            return if codes.len() == 3 { codes } else { "" };
        }
        let lists = SYMBOLS.iter().map(|(_, codes)| *codes);
        lists
            .chain([LETTERS])
            .find_map(|codes| among(codes, self.symbol))
            .unwrap_or("")
    }

    /// May the amount be in this currency? Where no column names one (empty), the symbol must be a known one.
    pub(super) fn fits(&self, currency: &[u8]) -> bool {
        if self.symbol.is_empty() {
            return true;
        }
        match meanings(self.symbol) {
            Some(_) if currency.is_empty() => true,
            Some(codes) => among(codes, currency).is_some(),
            None if currency.is_empty() => !self.currency().is_empty(),
            None => self.symbol.eq_ignore_ascii_case(currency),
        }
    }
}

fn meanings(symbol: &[u8]) -> Option<&'static str> {
    let found = SYMBOLS.iter().find(|(known, _)| known.as_bytes() == symbol);
    found.map(|(_, codes)| *codes)
}

fn among(codes: &'static str, code: &[u8]) -> Option<&'static str> {
    codes
        .split(' ')
        .find(|known| known.as_bytes().eq_ignore_ascii_case(code))
}
