//! Where a row's parts lie.
//!
//! ```text
//! schema id (u32 LE)
//! null bitmap      one bit a column, in slot order, set = null; bits beyond the last column are 0
//! fixed section    in slot order, little-endian, unaligned; a null's bytes are 0
//! offsets          u32 LE an element of the variable section: where it ends, from that section's start
//! variable section the bytes of `str` and `bytes` columns in slot order; a null takes none
//! ```
//!
//! A column's *slot* is its rank by (schema that introduced it, place in the schema). An evolved schema only appends
//! slots, so the sections of an older row are prefixes of the newer layout's: a row is read with nothing but the
//! [`Layout`] of the schema id that it carries, and what it lacks reads as null.
//!
//! The form is canonical: two rows of one schema are equal exactly when their bytes are (NaN payloads included).

use crate::types::SchemaId;

pub(super) const HEADER_BYTES: usize = 4;

/// The sections of rows written under one schema id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) schema: SchemaId,
    /// How many slots such rows have.
    pub(super) slots: usize,
    /// Where the fixed section starts.
    pub(super) fixed_at: usize,
    /// Where the offsets start.
    pub(super) offsets_at: usize,
    /// Where the variable section starts: the length of a row without `str` and `bytes` values.
    pub(super) variable_at: usize,
}

impl Layout {
    pub(super) fn new(schema: SchemaId, slots: usize, fixed_bytes: usize, variables: usize) -> Self {
        let fixed_at = HEADER_BYTES + slots.div_ceil(8);
        let offsets_at = fixed_at + fixed_bytes;
        Layout { schema, slots, fixed_at, offsets_at, variable_at: offsets_at + 4 * variables }
    }

    pub(super) fn variables(&self) -> usize {
        (self.variable_at - self.offsets_at) / 4
    }
}

/// Where one column lies, whatever the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its bit in the null bitmap.
    pub(super) rank: usize,
    /// Where its bytes are.
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At this distance from the start of the fixed section.
    Fixed { at: usize, len: usize },
    /// The element of the variable section with this index.
    Variable { index: usize },
}
