//! The words of a status: CAKE's, and those of each dialect whose meaning is certain.

/// CAKE's own words for a status.
pub(in crate::report) const CAKE: &str =
    "approved pending rejected ignored reversed returned scrubbed";

/// CAKE's own words stay unchanged; a dialect's word is mapped only where its meaning is certain.
#[cfg_attr(small_cold, optimize(size))]
pub(in crate::report) fn known_status(dialect: &str, word: &[u8]) -> Option<&'static str> {
    let among = |list: &'static str| {
        list.split(' ')
            .find(|known| known.as_bytes().eq_ignore_ascii_case(word))
    };
    let lists: [(&str, &str); 4] = match dialect {
        "shopify" => [
            ("approved", "paid partially_refunded"),
            ("pending", "pending authorized partially_paid"),
            ("reversed", "refunded voided"),
            ("rejected", "expired"),
        ],
        "woocommerce" => [
            (
                "approved",
                "completed wc-completed processing wc-processing",
            ),
            (
                "pending",
                "pending wc-pending on-hold wc-on-hold checkout-draft",
            ),
            ("reversed", "refunded wc-refunded"),
            ("rejected", "cancelled wc-cancelled failed wc-failed"),
        ],
        "stripe" => [
            ("approved", "succeeded paid available"),
            (
                "pending",
                "pending processing requires_capture requires_action requires_confirmation requires_payment_method",
            ),
            ("reversed", "refunded"),
            ("rejected", "failed canceled"),
        ],
        _ => [("", ""); 4],
    };
    among(CAKE).or_else(|| {
        let found = lists.iter().find(|(_, words)| among(words).is_some())?;
        Some(found.0)
    })
}
