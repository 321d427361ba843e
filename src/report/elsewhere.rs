//! What one part of a report knows of the rows of the others. Each part reads all rows and stores its own: what would
//! hold back an order of any part is noted while the others' rows pass.

mod note;

/// The long numbers of a file.
#[derive(Debug, Default)]
pub(super) struct Long {
    /// The zeros that may be lost digits, of the numbers that were seen; and has one lost nothing?
    pub(super) zeros: usize,
    pub(super) seen: Vec<Vec<u8>>,
    pub(super) is_exact: bool,
}

/// What a file's rows of other parts say, and some of what all of its rows say.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Rows of other parts that cannot be compared: they have no key, or a spreadsheet has made an id a date.
    keyless: u32,
    /// The same for dates that the shop may have written itself, by their style.
    days: [u32; 16],
    /// How all rows write numbers that look like dates and are none, in bits.
    pub(super) styles: u16,
    /// The long numbers of all rows.
    pub(super) long: Long,
    /// May a row of another part be nearly the same as one of this part? A spreadsheet has shortened a key, or CAKE may
    /// have a row's other id.
    pub(super) has_near: bool,
    /// A refund without a key may be of any sale.
    pub(super) has_nameless_refund: bool,
    /// The currencies of all rows, by number in bits.
    pub(super) currencies: [u64; 4],
    /// How long after its date an order was paid, in seconds: the longest time of all rows.
    pub(super) late: u32,
    /// Hashes of keys in other parts: of sales, and of conversions with some bits of their own id.
    pub(super) keys: Vec<u64>,
}

/// What a row says, be it of another part.
pub(super) struct Facts<'a> {
    pub(super) ids: [&'a [u8]; 3],
    /// CAKE's own id of a conversion.
    pub(super) own: &'a [u8],
    pub(super) currency: u8,
    /// A refund that takes something back.
    pub(super) is_refund: bool,
    /// The last second that its date may mean, and when it was paid.
    pub(super) times: (u32, Option<u32>),
}
