//! Finds the known name for a misspelled one: "did you mean s1?".

/// The number of right characters that each wrong character needs.
const RIGHT_FOR_WRONG: usize = 3;

/// Synonyms from other networks and versions, and CAKE's names on the wire, without capitals and separators.
const SYNONYMS: [(&str, &str); 71] = [
    ("orderid", "transactionid"),
    ("orderid", "uniqueid"),
    ("uniqueid", "transactionid"),
    ("txnid", "transactionid"),
    ("txid", "transactionid"),
    ("tid", "transactionid"),
    ("t", "transactionid"),
    ("transactionid", "uniqueid"),
    ("txnid", "uniqueid"),
    ("reqid", "clickid"),
    ("r", "clickid"),
    ("requestid", "clickid"),
    ("requestsessionid", "clickid"),
    ("cid", "clickid"),
    ("status", "conversionstatus"),
    ("status", "postbackstatus"),
    ("status", "domainstatus"),
    ("type", "postbacktypeid"),
    ("url", "postbackurl"),
    ("url", "baseurl"),
    ("domain", "baseurl"),
    ("host", "baseurl"),
    ("key", "apikey"),
    ("token", "apikey"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("dryrun", "readonly"),
    ("retry", "retries"),
    ("affid", "affiliateid"),
    ("aff", "affiliateid"),
    ("a", "affiliateid"),
    ("c", "creativeid"),
    ("o", "offerid"),
    ("oid", "offerid"),
    ("e", "eventid"),
    ("ckmrdr", "deeplink"),
    ("p", "priceformat"),
    ("from", "startdate"),
    ("since", "startdate"),
    ("to", "enddate"),
    ("until", "enddate"),
    ("from", "since"),
    ("startdate", "since"),
    ("start", "from"),
    ("end", "to"),
    ("startdate", "from"),
    ("enddate", "to"),
    ("limit", "rowlimit"),
    ("pagesize", "rowlimit"),
    ("offset", "startatrow"),
    ("orderby", "sortfield"),
    ("sortby", "sortfield"),
    ("desc", "sortdescending"),
    ("descending", "sortdescending"),
    ("date", "conversiondate"),
    ("qty", "quantity"),
    ("total", "ordertotal"),
    ("params", "parameters"),
    ("cookiedomain", "domain"),
    ("cookiedays", "windowdays"),
    ("filename", "name"),
    ("charset", "encoding"),
    ("separator", "delimiter"),
    ("sep", "delimiter"),
    ("dateformat", "dates"),
    ("hosts", "allowedhosts"),
    ("seed", "fixture"),
    ("days", "retentiondays"),
    ("webhooksecret", "signingsecrets"),
    ("group", "by"),
    ("order", "sort"),
];

/// The nearest known name, if one is near enough. These differences are near:
///
/// - case or separators (`click_id` for `clickId`)
/// - another network's sub id (`subId1` for `s1`)
/// - a longer or shorter form (`affiliate`)
/// - a few wrong letters
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = plain(given);
    let sub_id = sub_id(&given);
    known
        .into_iter()
        .filter_map(|name| {
            let right = plain(name);
            let shorter = given.len().min(right.len());
            let longer = given.len().abs_diff(right.len());
            let is_long = shorter >= 3 || shorter == 2 && longer == 1;
            let distance = if right == given
                || sub_id.as_ref() == Some(&right)
                || SYNONYMS.contains(&(given.as_str(), right.as_str()))
            {
                0
            } else if is_long && (right.starts_with(&given) || given.starts_with(&right)) {
                1
            } else {
                2 * distance(&given, &right)
            };
            let is_near = distance <= 1 || distance / 2 <= shorter / RIGHT_FOR_WRONG;
            is_near.then_some((distance, longer, name))
        })
        .min_by_key(|(distance, longer, _)| (*distance, *longer))
        .map(|(.., name)| name)
}

/// Keeps lower-case letters and digits only.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// `sub1`, `subid1`, `affsub1` and `aff_sub` are s1 in other networks.
fn sub_id(plain: &str) -> Option<String> {
    let name = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = plain.get(name.len()..).filter(|digits| digits.len() < 2)?;
    matches!(
        name,
        "sub" | "subid" | "affsub" | "affsubid" | "subaff" | "subacc"
    )
    .then(|| {
        let digit = if digits.is_empty() { "1" } else { digits };
        ["s", digit].concat()
    })
}

/// The number of letters to change, add or remove. Two neighbours in exchanged places count once
/// (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let mut two_before: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=other.len()).collect();
    let mut last = None;
    for (row, letter) in one.bytes().enumerate() {
        let mut line = vec![row + 1];
        let mut last_other = None;
        for (column, other_letter) in other.bytes().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&before, column) + usize::from(letter != other_letter);
            let mut cost = changed
                .min(at(&before, column + 1) + 1)
                .min(at(&line, column) + 1);
            if last == Some(other_letter) && last_other == Some(letter) && column > 0 {
                cost = cost.min(at(&two_before, column - 1) + 1);
            }
            line.push(cost);
            last_other = Some(other_letter);
        }
        last = Some(letter);
        two_before = core::mem::replace(&mut before, line);
    }
    before.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARTS: [&str; 15] = [
        "domain",
        "affiliateId",
        "creativeId",
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
        "priceFormat",
        "deepLink",
        "extra",
        "sandbox",
        "testAffiliate",
        "spill",
        "deepLinkHosts",
    ];

    #[test]
    fn the_name_that_was_meant_is_found() {
        for (given, right) in [
            ("S1", "s1"),
            ("sub1", "s1"),
            ("subId1", "s1"),
            ("sub_id_3", "s3"),
            ("aff_sub", "s1"),
            ("aff_sub5", "s5"),
            ("extras", "extra"),
            ("affiliate", "affiliateId"),
            ("affiliate_id", "affiliateId"),
            ("affId", "affiliateId"),
            ("aff_id", "affiliateId"),
            ("aff", "affiliateId"),
            ("afiliateId", "affiliateId"),
            ("affilaiteId", "affiliateId"),
            ("creativeID", "creativeId"),
            ("deeplink", "deepLink"),
            ("deepLinkHost", "deepLinkHosts"),
            ("spills", "spill"),
            ("s1s", "s1"),
            ("domian", "domain"),
        ] {
            assert_eq!(nearest(given, PARTS), Some(right), "{given}");
        }
    }

    #[derive(serde::Deserialize)]
    struct Vectors {
        names: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        given: String,
        known: Vec<String>,
        meant: Option<String>,
    }

    #[test]
    fn other_words_and_names_on_the_wire_lead_to_the_right_one() {
        let vectors = include_str!("../tests/vectors/nearest.json");
        let Vectors { names } = serde_json::from_str(vectors).unwrap();
        for Vector {
            given,
            known,
            meant,
        } in names
        {
            let found = nearest(&given, known.iter().map(String::as_str));
            assert_eq!(found, meant.as_deref(), "{given} of {known:?}");
        }
    }

    #[test]
    fn a_name_far_from_all_is_near_to_none() {
        for given in ["", "x", "colour", "campaign", "s9", "url", "__proto__"] {
            assert_eq!(nearest(given, PARTS), None, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_panic(given in "\\PC{0,40}") {
            let _ = nearest(&given, PARTS);
        }
    }
}
