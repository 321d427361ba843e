//! Tracking links for JavaScript.

use super::field_reader::{FieldReader, write_link};
use super::id;
use crate::host::Domain;
use crate::{Error, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The longest input: the parts of the longest link, and spare room.
const INPUT_BYTES: usize = 8_192;

/// Builds tracking links in a pair of buffers that JavaScript writes and reads itself. The
/// generated passing of texts takes longer than the building.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LinkBuilder {
    input: Vec<u8>,
    output: String,
    domain: Option<Domain<'static>>,
    error: Option<Error>,
}

#[wasm_bindgen]
impl LinkBuilder {
    /// Makes the buffers.
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self {
            input: vec![0; INPUT_BYTES],
            output: String::with_capacity(INPUT_BYTES),
            domain: None,
            error: None,
        }
    }

    /// Where the input starts in the module's memory.
    #[must_use]
    pub fn input(&self) -> *const u8 {
        self.input.as_ptr()
    }

    /// Where the output starts.
    #[must_use]
    pub fn output(&self) -> *const u8 {
        self.output.as_ptr()
    }

    /// How many bytes the input has room for.
    #[must_use]
    pub fn capacity() -> usize {
        INPUT_BYTES
    }

    /// Builds a link, see [`TrackingLink::build`], from the first `length` bytes of the input into
    /// the output. Returns the link's length in bytes, or 0 where there is an error to
    /// [`take`](Self::take_error). A result of several values takes longer to return than a link to
    /// build.
    ///
    /// The input holds `parts` text parts, each followed by a line feed, which no part can hold.
    /// They are the domain, `s1` … `s5`, the price format, the deep link, and the allowed hosts of
    /// deep links separated by spaces. Then come name and value of each extra parameter. Empty
    /// parts at the end may be left out. An empty domain stands for the last valid one: most
    /// callers have one.
    ///
    /// `flags`: 1 the domain is a sandbox's, 2 allow the test affiliate, 4 let sub ids spill.
    pub fn build(
        &mut self,
        length: usize,
        parts: usize,
        flags: u32,
        affiliate_id: f64,
        creative_id: f64,
    ) -> usize {
        self.output.clear();
        match self.try_build(length, parts, flags, affiliate_id, creative_id) {
            Ok(()) => self.output.len(),
            Err(error) => {
                self.error = Some(error);
                0
            }
        }
    }

    /// Why the last link was not built.
    #[wasm_bindgen(js_name = takeError)]
    pub fn take_error(&mut self) -> Option<JsValue> {
        self.error.take().map(JsValue::from)
    }
}

impl LinkBuilder {
    fn try_build(
        &mut self,
        length: usize,
        parts: usize,
        flags: u32,
        affiliate_id: f64,
        creative_id: f64,
    ) -> Result<()> {
        let text = self
            .input
            .get(..length)
            .and_then(|bytes| core::str::from_utf8(bytes).ok());
        let mut texts = FieldReader::new(text.ok_or(Error::LinkTooLong)?);
        let domain = texts.next();
        if !domain.is_empty() {
            self.domain = None;
            let is_sandbox = flags & 1 != 0;
            let checked = if is_sandbox {
                Domain::sandbox(domain)?
            } else {
                Domain::new(domain)?
            };
            self.domain = Some(checked.into_owned());
        }
        let domain = self.domain.as_ref().ok_or(Error::InvalidDomain)?;
        domain.push_origin(&mut self.output);
        let ids = [id(affiliate_id), id(creative_id)];
        write_link(&mut texts, flags.into(), ids, &mut self.output)?;
        // A line feed within a part would shift all parts after it.
        if texts.taken() > parts {
            return Err(Error::InvalidText { parameter: "parts" });
        }
        Ok(())
    }
}

impl Default for LinkBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// The module's memory, which holds the buffers.
#[must_use]
#[wasm_bindgen(js_name = moduleMemory)]
pub fn module_memory() -> JsValue {
    wasm_bindgen::memory()
}
