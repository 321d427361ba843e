//! Where an order's id may end and its part begin: the one rule by which an id is a part of an order, and
//! which signs a plain form keeps for it.

/// The most digits of a part's number, and of the number after its word: `1001-100`, `1001-REF-2026`.
const NUMBER: usize = 3;
const WORD_NUMBER: usize = 4;

/// The same of a number behind an order's id without digits: that may be a prefix, and the number the order's.
pub(super) const SHORT_NUMBER: usize = 2;

/// The most bytes of a part's word.
const WORD: usize = 24;

/// The most bytes of a part whose letters and digits alternate, its runs of them, and its digits: `part1of2`, `R1a`.
const MIXED: usize = 10;
const RUNS: usize = 4;
const MIXED_DIGITS: usize = 4;

/// The fewest bytes of an order's id without digits: `ORD-26` is no part of `ORD`.
pub(super) const WHOLE_WORD: usize = 9;

pub(super) fn is_sign(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_punctuation()
}

/// Letters and digits alone: `ORD1001` of `ORD-1001`, `ORD_1001` and `ORD:1001`. A sign before a part stays where nothing
/// else tells it from its order: 1001-1 is a part of an order, and not 10011.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn drop_separators(plain: &mut Vec<u8>) {
    // One hyphen for several signs, and none at the ends.
    while plain.last().is_some_and(|&byte| is_sign(byte)) {
        plain.pop();
    }
    let mut was_sign = true;
    plain.retain_mut(|byte| {
        let is_first = !was_sign;
        was_sign = is_sign(*byte);
        if was_sign {
            *byte = b'-';
        }
        is_first || !was_sign
    });
    let mut kept = Vec::new();
    each_border(plain, true, &mut |border, needs_sign| {
        if needs_sign {
            kept.push(border);
        }
    });
    let mut at = 0;
    plain.retain(|&byte| {
        // The first border is the last one of the list.
        let is_kept = kept.pop_if(|border| *border == at).is_some();
        at += 1;
        is_kept || byte != b'-'
    });
}

/// Visits the borders of a plain form at which an order's id may end and its part begin, from the last to the first.
/// The other argument: only a sign tells the two apart. In an `is_spelt` form all signs are still there.
///
/// This is the one rule of parts: words and short numbers follow the border to the end. Whether one may follow depends
/// on itself and what stands before it. So an order has the borders of its parts before its end, and the same first one.
#[cfg_attr(small_cold, optimize(size))]
fn each_border(form: &[u8], is_spelt: bool, visit: &mut dyn FnMut(usize, bool)) {
    let is_digit = |at: usize| form.get(at).is_some_and(u8::is_ascii_digit);
    if form.len() > WORD_NUMBER && (1..=WORD_NUMBER + 1).all(|back| is_digit(form.len() - back)) {
        return;
    }
    let from = |at: usize, is_passed: fn(&u8) -> bool| {
        let rest = form.get(at..).unwrap_or_default().iter();
        at + rest.take_while(|byte| is_passed(byte)).count()
    };
    let is_letter = |byte: &u8| !byte.is_ascii_digit();
    let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    // An order's number with letters around it, or none: where the letters begin to alternate with digits, as those
    // of a UUID, a change between them says nothing.
    let number = from(0, is_letter);
    let mixed = from(from(number, is_number), is_letter);
    let mut end = form.len();
    // May a part begin at the end of this run, and at that of the next one? And the digits of the next one.
    let (mut ends, mut digits) = ([true, false], 0);
    // Where the last part begins that is known.
    let mut known = end;
    while end > 0 {
        if ends == [false; 2] {
            // Letters and digits that alternate are a part only behind a sign.
            let Some(sign) = mixed_part(form, known).filter(|&(sign, digits)| {
                (sign > number || sign >= WHOLE_WORD && digits <= SHORT_NUMBER)
                    && !(is_spelt && is_group(form, sign))
            }) else {
                return;
            };
            (end, _) = sign;
            (known, ends, digits) = (end, [true, false], 0);
            visit(end, true);
            continue;
        }
        let is_number = is_digit(end - 1);
        let run = form.get(..end).unwrap_or_default().iter().rev();
        let is_same = |byte: &&u8| byte.is_ascii_digit() == is_number && **byte != b'-';
        let run = run.take_while(is_same).count();
        let has_sign = form
            .get(..end - run)
            .is_some_and(|before| before.ends_with(b"-"));
        let border = end - run - usize::from(has_sign);
        if border == 0 {
            return;
        }
        let needs_sign = is_digit(border - 1) == is_number || border > mixed;
        let is_whole = border > number || border >= WHOLE_WORD;
        let [most, after_word] = if border > number {
            [NUMBER, WORD_NUMBER]
        } else {
            [SHORT_NUMBER; 2]
        };
        let is_rest = if is_number {
            run <= most && ends[0]
        } else {
            run <= WORD && (ends[0] || ends[1] && digits <= after_word)
        };
        let is_border = is_rest
            && is_whole
            && (!needs_sign || has_sign && !(is_spelt && is_group(form, border)));
        if is_border {
            visit(border, needs_sign);
            known = border;
        }
        ends = [is_border, ends[0]];
        digits = if is_number { run } else { usize::MAX };
        end = border;
    }
}

/// The sign before a short part that ends here, whose letters and digits alternate, and the number of its digits.
#[cfg_attr(small_cold, optimize(size))]
fn mixed_part(form: &[u8], end: usize) -> Option<(usize, usize)> {
    let before = form.get(..end)?;
    let sign = before.iter().rposition(|&byte| byte == b'-')?;
    let part = before.get(sign + 1..)?;
    let runs = part.chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit());
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_short = part.len() <= MIXED && digits <= MIXED_DIGITS;
    (sign > 0 && is_short && (2..=RUNS).contains(&runs.count())).then_some((sign, digits))
}

/// Is it an id in groups of one length, such as `123-456-789` and `AB12-CD34`? A number and a mixed group are none.
#[cfg_attr(small_cold, optimize(size))]
fn is_group(form: &[u8], sign: usize) -> bool {
    let Some((before, after)) = form.split_at_checked(sign) else {
        return false;
    };
    let is_sign = |byte: &u8| *byte == b'-';
    let before = before.rsplit(is_sign).next().unwrap_or_default();
    let after = after.split(is_sign).nth(1).unwrap_or_default();
    let is_number = |group: &[u8]| group.iter().all(u8::is_ascii_digit);
    before.len() > 1
        && before.len() == after.len()
        && after.iter().any(u8::is_ascii_digit)
        && (is_number(after) || !is_number(before))
}

/// The borders of a plain form, from the last to the first.
#[cfg_attr(small_cold, optimize(size))]
pub(super) fn borders_of(form: &[u8]) -> Vec<usize> {
    let mut borders = Vec::new();
    each_border(form, false, &mut |border, _| borders.push(border));
    borders
}
