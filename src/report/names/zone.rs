//! The zone that a column's name tells: `Created (UTC)`, `date_paid_gmt`, `Date (GMT+02:00)`.

use super::{Names, Role, normalise};
use crate::report::day::read_offset;

/// The roles that are times, in the order of [`Zones`].
const TIMES: [Role; 2] = [Role::Date, Role::Paid];

/// The offsets from UTC in seconds that the columns of the date and of the payment's time are named with.
pub(in crate::report) type Zones = [Option<i32>; TIMES.len()];

/// Added to a name's rank where it is known without its zone: the same name without one stands before it.
const NAMED: u8 = 100;

impl Names {
    /// The role and the rank of a column of a CSV file: its name may end in a zone.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn find_column(&self, name: &[u8]) -> Option<(u8, u8)> {
        let find = |name: &[u8]| {
            let mut path = Vec::new();
            normalise(name, |byte| path.push(byte));
            self.find(&path)
        };
        find(name).or_else(|| {
            let (without, _) = zone_of(name)?;
            let (role, rank) = find(&without)?;
            let is_time = TIMES.iter().any(|&time| time as u8 == role);
            (is_time && !self.is_declared(role)).then_some((role, rank + NAMED))
        })
    }

    /// The zones of the names that have these ranks.
    #[cfg_attr(small_cold, optimize(size))]
    pub(in crate::report) fn zones(&self, rank_of: impl Fn(Role) -> Option<u8>) -> Zones {
        TIMES.map(|role| {
            if self.is_declared(role as u8) {
                let (_, name) = self.given(role as u8);
                return Some(zone_of(name.as_bytes())?.1);
            }
            let rank = rank_of(role)?;
            let mut known = self.known.iter();
            match known.find(|name| name.role == role as u8 && name.rank == rank) {
                Some(name) => Some(zone_of(&name.path)?.1),
                None => (NAMED..2 * NAMED).contains(&rank).then_some(0),
            }
        })
    }
}

/// A name without its zone, and the zone's offset from UTC in seconds.
#[cfg_attr(small_cold, optimize(size))]
fn zone_of(name: &[u8]) -> Option<(Vec<u8>, i32)> {
    let mut word = name.windows(3).enumerate().filter(|&(at, word)| {
        let is_zone = word.eq_ignore_ascii_case(b"utc") || word.eq_ignore_ascii_case(b"gmt");
        let before = name.get(..at).and_then(<[u8]>::last);
        let rest = name.get(at + 3..).unwrap_or_default();
        // `outcome_date` names none.
        let is_last = !rest.iter().any(u8::is_ascii_alphanumeric);
        let is_word = ![before, rest.first()]
            .into_iter()
            .flatten()
            .any(u8::is_ascii_alphabetic);
        is_zone && (is_last || is_word)
    });
    let (at, _) = word.next_back()?;
    let (before, zone) = name.split_at_checked(at)?;
    let rest = zone.get(3..)?.trim_ascii_start();
    let is_offset = |&byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b':');
    let length = rest.iter().take_while(|byte| is_offset(byte)).count();
    let (offset, rest) = rest.split_at_checked(length)?;
    let offset = match offset {
        [sign @ (b'+' | b'-'), hour] => read_offset(&[*sign, b'0', *hour], true),
        // `utc-date`
        [b'-'] => Ok(None),
        offset => read_offset(offset, true),
    };
    Some(([before, rest].concat(), offset.ok()?.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::names::RowKind;

    #[test]
    fn a_name_tells_its_zone() {
        for (name, zone) in [
            ("Created (UTC)", Some(0)),
            ("Created date (UTC)", Some(0)),
            ("createddateutc", Some(0)),
            ("date_created_gmt", Some(0)),
            ("dateCreatedGMT", Some(0)),
            ("Date [GMT+2]", Some(7_200)),
            ("Date (GMT+02:00)", Some(7_200)),
            ("Date (UTC -05:30)", Some(-19_800)),
            ("UTC date", Some(0)),
            ("utc-date", Some(0)),
            ("Date (UTC) of sale", Some(0)),
            ("Date (UTC+99)", None),
            ("outcome_date", None),
            ("Date", None),
            ("", None),
        ] {
            let found = zone_of(name.as_bytes()).map(|(_, zone)| zone);
            assert_eq!(found, zone, "{name}");
        }
    }

    #[test]
    fn a_column_is_known_without_its_zone() {
        let names = Names::of(RowKind::Orders, "simple").unwrap();
        let role = |name: &str| names.find_column(name.as_bytes()).map(|(role, _)| role);
        assert_eq!(role("Paid At (UTC)"), Some(Role::Paid as u8));
        assert_eq!(role("UTC date"), Some(Role::Date as u8));
        assert_eq!(role("created_at_gmt"), Some(Role::Date as u8));
        assert_eq!(role("Order ID (UTC)"), None);
        assert_eq!(names.zones(|_| Some(0)), [None, None]);
        assert_eq!(names.zones(|_| Some(NAMED)), [Some(0), Some(0)]);
    }
}
