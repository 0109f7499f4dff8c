//! Reading a packed row.

#![deny(clippy::indexing_slicing)]

use std::fmt;

use super::{
    Kind, MAX_ROW_BYTES, Scalar, Schema, VectorRef,
    layout::{HEADER_BYTES, Layout, Slot, Span, set_bits},
};
use crate::types::{Error, Result, SchemaId, Timestamp};

/// A packed row and the schema that reads it.
///
/// Every read is bounds-checked: bytes that are not a row read as nulls, never out of bounds.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    schema: &'a Schema,
    layout: &'a Layout,
    bytes: &'a [u8],
}

impl<'a> RowRef<'a> {
    /// Takes bytes from outside: everything that other code relies on is checked here, once.
    pub fn new(schema: &'a Schema, bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() > MAX_ROW_BYTES {
            return Err(Error::invalid(format!(
                "the row has {} bytes, more than the limit of {MAX_ROW_BYTES}",
                bytes.len()
            )));
        }
        let row = RowRef::trusted(schema, bytes).map_err(|error| Error::invalid(error.message))?;
        row.validate()?;
        Ok(row)
    }

    /// Takes bytes that [`RowRef::new`] or a [`Builder`](super::Builder) has seen. Fails only if they were written
    /// under a schema that `schema` does not read.
    pub fn trusted(schema: &'a Schema, bytes: &'a [u8]) -> Result<Self> {
        let id = written_under(bytes).ok_or_else(|| malformed("it is shorter than its header"))?;
        let layout = match schema.layout() {
            own if own.schema == id => own,
            _ => schema.layout_of(id).ok_or_else(|| unread(schema, id))?,
        };
        Ok(RowRef { schema, layout, bytes })
    }

    /// The schema that reads it, which may be newer than the one it was written under.
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// The id of the schema it was written under.
    pub fn schema_id(&self) -> SchemaId {
        self.layout.schema
    }

    /// The packed bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether column `i` is null; so is a column that the schema lacks.
    pub fn is_null(&self, i: usize) -> bool {
        self.schema.slot(i).is_none_or(|slot| self.is_null_at(slot))
    }

    /// The value of column `i`.
    pub fn value(&self, i: usize) -> Scalar<'a> {
        self.read(i).unwrap_or(Scalar::Null)
    }

    /// Column `i` as numpy's `astype(float64)` casts it; see [`Scalar::as_f64`]. `None` if it is null or no number.
    #[inline]
    pub fn f64(&self, i: usize) -> Option<f64> {
        match self.double(i) {
            Some(number) => Some(number),
            None => self.read(i)?.as_f64(),
        }
    }

    /// Column `i` as numpy's `astype(float32)` casts it; see [`Scalar::as_f32`]. `None` if it is null or no number.
    #[inline]
    pub fn f32(&self, i: usize) -> Option<f32> {
        match self.double(i) {
            Some(number) => Some(number as f32),
            None => self.read(i)?.as_f32(),
        }
    }

    /// The short way to what most features are.
    #[inline]
    fn double(&self, i: usize) -> Option<f64> {
        let slot = self.schema.slot(i)?;
        if slot.kind != Kind::F64 || self.is_null_at(slot) {
            return None;
        }
        Some(f64::from_le_bytes(*self.bytes_of(slot)?.first_chunk()?))
    }

    /// Column `i` as numpy's `astype(int64)` casts it; see [`Scalar::as_i64`]. `None` if it is null or no number.
    pub fn i64(&self, i: usize) -> Option<i64> {
        self.read(i)?.as_i64()
    }

    /// The values of all columns in order.
    pub fn values(&self) -> impl Iterator<Item = Scalar<'a>> + use<'a> {
        let row = *self;
        (0..row.schema.columns().len()).map(move |i| row.value(i))
    }

    #[inline]
    fn read(&self, i: usize) -> Option<Scalar<'a>> {
        let slot = self.schema.slot(i)?;
        if self.is_null_at(slot) {
            return None;
        }
        let cell = self.bytes_of(slot)?;
        Some(match slot.kind {
            Kind::Bool => Scalar::Bool(*cell.first()? != 0),
            Kind::I32 => Scalar::I32(i32::from_le_bytes(*cell.first_chunk()?)),
            Kind::I64 => Scalar::I64(i64::from_le_bytes(*cell.first_chunk()?)),
            Kind::F32 => Scalar::F32(f32::from_le_bytes(*cell.first_chunk()?)),
            Kind::F64 => Scalar::F64(f64::from_le_bytes(*cell.first_chunk()?)),
            Kind::Timestamp => Scalar::Timestamp(Timestamp(i64::from_le_bytes(*cell.first_chunk()?))),
            // Checked on the way in; checking again costs little beside what text is read for.
            Kind::Str => Scalar::Str(std::str::from_utf8(cell).ok()?),
            Kind::Bytes => Scalar::Bytes(cell),
            Kind::Vector(_) => Scalar::Vector(VectorRef::from_le_bytes(cell)),
        })
    }

    #[inline]
    fn is_null_at(&self, slot: Slot) -> bool {
        slot.rank() >= self.layout.slots
            || self
                .bytes
                .get(HEADER_BYTES + slot.rank() / 8)
                .is_none_or(|byte| byte >> (slot.rank() % 8) & 1 == 1)
    }

    #[inline]
    fn bytes_of(&self, slot: Slot) -> Option<&'a [u8]> {
        match slot.span() {
            Span::Fixed { at, len } => {
                let start = self.layout.fixed_at + at;
                self.bytes.get(start..start + len)
            }
            Span::Variable { index } => {
                let start = if index == 0 { 0 } else { self.end_of(index - 1)? };
                self.bytes.get(self.layout.variable_at..)?.get(start..self.end_of(index)?)
            }
        }
    }

    /// The null bitmap, if the bytes are that long.
    pub(super) fn nulls(&self) -> &'a [u8] {
        self.bytes.get(HEADER_BYTES..self.layout.fixed_at).unwrap_or_default()
    }

    /// Where an element of the variable section ends.
    fn end_of(&self, index: usize) -> Option<usize> {
        let raw = self.bytes.get(self.layout.offsets_at + 4 * index..)?.first_chunk()?;
        Some(u32::from_le_bytes(*raw) as usize)
    }

    fn validate(&self) -> Result<()> {
        let layout = self.layout;
        let variable = self
            .bytes
            .len()
            .checked_sub(layout.variable_at)
            .ok_or_else(|| malformed("it is shorter than its fixed part"))?;
        let unused = layout.slots % 8;
        if unused != 0 && self.nulls().last().is_some_and(|last| last >> unused != 0) {
            return Err(malformed("its null bitmap has bits beyond the last column"));
        }
        let mut start = 0;
        for index in 0..layout.variables() {
            let end = self.end_of(index).unwrap_or(usize::MAX);
            if end < start || end > variable {
                return Err(malformed("its offsets are out of order or out of bounds"));
            }
            start = end;
        }
        if start != variable {
            return Err(malformed("it has bytes that belong to no column"));
        }
        set_bits(self.nulls())
            .filter_map(|rank| self.schema.at_slot(rank))
            .try_for_each(|i| self.check_null(i))?;
        self.schema.fallible().try_for_each(|i| self.check_value(i))
    }

    /// A null has no bytes but zeroes.
    fn check_null(&self, i: usize) -> Result<()> {
        let bytes = self.schema.slot(i).and_then(|slot| self.bytes_of(slot)).unwrap_or_default();
        match bytes.iter().all(|byte| *byte == 0) && (bytes.is_empty() || self.is_fixed(i)) {
            true => Ok(()),
            false => Err(self.wrong(i, "is null and has bytes")),
        }
    }

    /// A bool is 0 or 1, text is UTF-8.
    fn check_value(&self, i: usize) -> Result<()> {
        let Some(slot) = self.schema.slot(i) else { return Ok(()) };
        if self.is_null_at(slot) {
            return Ok(());
        }
        let bytes = self.bytes_of(slot).unwrap_or_default();
        match slot.kind {
            Kind::Bool if bytes.first() > Some(&1) => Err(self.wrong(i, "is a bool and neither 0 nor 1")),
            Kind::Str if std::str::from_utf8(bytes).is_err() => Err(self.wrong(i, "is a str and not UTF-8")),
            _ => Ok(()),
        }
    }

    fn is_fixed(&self, i: usize) -> bool {
        self.schema.slot(i).is_some_and(|slot| slot.kind.fixed_bytes().is_some())
    }

    fn wrong(&self, i: usize, how: &str) -> Error {
        let name = self.schema.columns().get(i).map_or("", |column| column.name.as_str());
        malformed(&format!("the column `{name}` {how}"))
    }
}

fn written_under(bytes: &[u8]) -> Option<SchemaId> {
    bytes.first_chunk().map(|raw| SchemaId(u32::from_le_bytes(*raw)))
}

fn malformed(why: &str) -> Error {
    Error::invalid(format!("the bytes are not a row: {why}"))
}

fn unread(schema: &Schema, id: SchemaId) -> Error {
    Error::internal(format!("the row was written under schema {id}; the map has schema {}", schema.id()))
        .hint("fetch the map's schema again")
}

impl fmt::Debug for RowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.schema.columns().iter().map(|column| &column.name);
        f.debug_map().entries(names.zip(self.values())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Writer, check, samples};

    /// The sample row with bytes at `at` replaced.
    fn refusal(at: usize, with: &[u8]) -> String {
        let schema = samples::schema();
        let mut bytes = samples::row(&schema);
        bytes.splice(at..at + with.len(), with.iter().copied());
        RowRef::new(&schema, &bytes).unwrap_err().message.into_owned()
    }

    #[test]
    fn refuses_bytes_that_are_not_a_row() {
        assert_eq!(refusal(0, &[8]), "the row was written under schema 8; the map has schema 7");
        assert_eq!(
            refusal(5, &[0x1e]),
            "the bytes are not a row: its null bitmap has bits beyond the last column"
        );
        assert_eq!(
            refusal(6, &[2]),
            "the bytes are not a row: the column `flag` is a bool and neither 0 nor 1"
        );
        assert_eq!(refusal(11, &[1]), "the bytes are not a row: the column `big` is null and has bytes");
        assert_eq!(
            refusal(55, &[10]),
            "the bytes are not a row: its offsets are out of order or out of bounds"
        );
        assert_eq!(refusal(71, &[0xff]), "the bytes are not a row: the column `name` is a str and not UTF-8");
    }

    #[test]
    fn refuses_bytes_too_short_or_too_long() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        for len in 0..bytes.len() {
            assert!(RowRef::new(&schema, &bytes[..len]).is_err(), "{len}");
        }
        let long = [&bytes[..], &[0]].concat();
        assert!(RowRef::new(&schema, &long).unwrap_err().message.contains("belong to no column"));
        let huge = vec![0; MAX_ROW_BYTES + 1];
        assert!(RowRef::new(&schema, &huge).unwrap_err().message.contains("more than the limit"));
    }

    #[test]
    fn reads_numbers_as_numpy_casts_them() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        let row = RowRef::new(&schema, &bytes).unwrap();
        assert_eq!((row.f64(0), row.f32(0), row.i64(0)), (Some(1.0), Some(1.0), Some(1)));
        assert_eq!((row.f64(4), row.f32(4), row.i64(4)), (Some(2.5), Some(2.5), Some(2)));
        assert_eq!((row.f64(5), row.f64(2), row.f64(99)), (None, None, None));
        assert_eq!(Scalar::F64(-1.9).as_i64(), Some(-1));
        assert_eq!(Scalar::F64(f64::NAN).as_i64(), Some(i64::MIN));
        assert_eq!(Scalar::F32(1e30).as_i64(), Some(i64::MIN));
        // Through f64 this would round twice, to 2^54 + 2^31.
        assert_eq!(Scalar::I64((1 << 54) + (1 << 30) + 1).as_f32(), Some(18_014_400_656_965_632.0));
    }

    #[test]
    fn admission_asks_for_values_ranges_and_no_scores() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        let admit = |bytes: &[u8], writer| {
            check(&schema, RowRef::new(&schema, bytes).unwrap(), writer)
                .map_err(|error| error.message.into_owned())
        };
        assert_eq!(admit(&bytes, Writer::Client), Ok(()));
        let mut missing = bytes.clone();
        missing[4] |= 1;
        missing[6] = 0;
        assert_eq!(admit(&missing, Writer::Client), Err("the column `flag` is missing".into()));
        let mut out_of_range = bytes.clone();
        out_of_range[7..11].copy_from_slice(&(-101i32).to_le_bytes());
        assert_eq!(
            admit(&out_of_range, Writer::Client),
            Err("the column `small` takes -100 to 100, not -101".into())
        );
        let scored = crate::row::with_scores(&schema, &bytes, &[(10, Scalar::F32(0.5))]).unwrap();
        assert_eq!(admit(&scored, Writer::Grid), Ok(()));
        assert_eq!(
            admit(&scored, Writer::Client),
            Err("the column `score` is a score, which clients cannot write".into())
        );
    }
}
