//! What several fuzz targets hold true of an accepted input, written a second time.

/// Is this a unique id as the forwarder takes it? Shops have many formats (`#1001`, `ORD=1`,
/// `Bestellung 12`): 1 to 128 UTF-16 units of any text, without control characters and without
/// white space around it.
pub fn is_unique_id(id: &str) -> bool {
    (1..=128).contains(&id.encode_utf16().count())
        && id.trim() == id
        && !id.contains(char::is_control)
}
