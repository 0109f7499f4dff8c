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

use super::Kind;
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

/// Where one column lies, whatever the layout. Small: reading a row goes through these alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    rank: u16,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Fixed { at: u32, len: u32 },
    Variable { index: u32 },
}

/// Where a column's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// At this distance from the start of the fixed section.
    Fixed { at: usize, len: usize },
    /// The element of the variable section with this index.
    Variable { index: usize },
}

impl Slot {
    /// The slots of columns of these kinds, in slot order.
    pub(super) fn in_order(kinds: impl Iterator<Item = Kind>) -> Vec<(Slot, Layout)> {
        let (mut fixed, mut variables, mut slots) = (0, 0, Vec::new());
        for (rank, kind) in kinds.enumerate() {
            // A schema has at most MAX_COLUMNS columns of at most 256 KiB each: all of it fits.
            let place = match kind.fixed_bytes() {
                Some(len) => {
                    fixed += len;
                    Place::Fixed { at: (fixed - len) as u32, len: len as u32 }
                }
                None => {
                    variables += 1;
                    Place::Variable { index: variables as u32 - 1 }
                }
            };
            let slot = Slot { kind, rank: rank as u16, place };
            slots.push((slot, Layout::new(SchemaId::default(), rank + 1, fixed, variables)));
        }
        slots
    }

    /// Its bit in the null bitmap.
    pub(super) fn rank(self) -> usize {
        usize::from(self.rank)
    }

    pub(super) fn span(self) -> Span {
        match self.place {
            Place::Fixed { at, len } => Span::Fixed { at: at as usize, len: len as usize },
            Place::Variable { index } => Span::Variable { index: index as usize },
        }
    }
}

/// A set of slots, laid out like a null bitmap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SlotSet(Box<[u8]>);

impl SlotSet {
    pub(super) fn of(slots: usize, members: impl Iterator<Item = usize>) -> Self {
        let mut bits = vec![0u8; slots.div_ceil(8)];
        members.for_each(|rank| bits[rank / 8] |= 1 << (rank % 8));
        SlotSet(bits.into())
    }

    /// Whether the bitmap has the bit of one of the slots set.
    pub(super) fn meets(&self, bitmap: &[u8]) -> bool {
        self.0.iter().zip(bitmap).any(|(member, bit)| member & bit != 0)
    }

    /// Whether the bitmap has the bits of all the slots set.
    pub(super) fn is_within(&self, bitmap: &[u8]) -> bool {
        self.0.iter().zip(bitmap).all(|(member, bit)| member & !bit == 0)
    }
}

/// The slots whose bits are set.
pub(super) fn set_bits(bitmap: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bitmap
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte != 0)
        .flat_map(|(at, byte)| (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at * 8 + bit))
}
