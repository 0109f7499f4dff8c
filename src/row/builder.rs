//! Making a packed row.

use super::{
    Kind, MAX_ROW_BYTES, Scalar, Schema, Writer, convert,
    layout::{HEADER_BYTES, Span},
};
use crate::types::{Error, Result};

/// Packs one row, column by column, in any order. A column that is not set is null.
#[derive(Debug)]
pub struct Builder<'s> {
    schema: &'s Schema,
    writer: Writer,
    /// Where the fixed section starts.
    fixed_at: usize,
    /// Header, bitmap, fixed section and offsets, as they will lie in the row.
    head: Vec<u8>,
    /// The bytes of `str` and `bytes` columns in the order in which they were set.
    variable: Vec<u8>,
    /// For each element of the variable section, where it lies in `variable`.
    spans: Vec<(usize, usize)>,
}

impl<'s> Builder<'s> {
    /// A row as clients write it: its scores are null.
    pub fn new(schema: &'s Schema) -> Self {
        Builder::of(schema, Writer::Client)
    }

    /// A row written by `writer`.
    pub fn of(schema: &'s Schema, writer: Writer) -> Self {
        let layout = schema.layout();
        let mut head = Vec::with_capacity(layout.variable_at + 16 * layout.variables());
        head.resize(layout.variable_at, 0);
        head[..HEADER_BYTES].copy_from_slice(&schema.id().0.to_le_bytes());
        let bitmap = &mut head[HEADER_BYTES..layout.fixed_at];
        bitmap.fill(0xff);
        if let (Some(last), used @ 1..) = (bitmap.last_mut(), layout.slots % 8) {
            *last = (1 << used) - 1;
        }
        Builder {
            schema,
            writer,
            fixed_at: layout.fixed_at,
            head,
            variable: Vec::new(),
            spans: vec![(0, 0); layout.variables()],
        }
    }

    /// The schema of the row.
    pub fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// Sets column `i`. Refuses null where the column is not nullable, a value that the column cannot hold, one out of
    /// range, and a score from a client; the message names column, value and bounds.
    pub fn set(&mut self, i: usize, value: Scalar<'_>) -> Result<()> {
        let schema = self.schema;
        let (Some(column), Some(slot)) = (schema.columns().get(i), schema.slot(i)) else {
            return Err(Error::invalid(format!("there is no column {i} in {}", schema.columns().len())));
        };
        if let (Scalar::F64(number), Kind::F64, Span::Fixed { at, .. }) = (value, column.kind, slot.span())
            && !column.is_score
            && column.admits(number)
        {
            // The short way for what most features are.
            let start = self.fixed_at + at;
            self.head[start..start + 8].copy_from_slice(&number.to_le_bytes());
            mark(&mut self.head, slot.rank(), false);
            return Ok(());
        }
        let value = convert::fit(column, value)?;
        if column.is_score && self.writer == Writer::Client && !value.is_null() {
            return Err(convert::score_written(column));
        }
        match slot.span() {
            Span::Fixed { at, len } => {
                let start = self.fixed_at + at;
                store(&mut self.head[start..start + len], value);
            }
            Span::Variable { index } => self.spans[index] = self.append(value)?,
        }
        mark(&mut self.head, slot.rank(), value.is_null());
        Ok(())
    }

    /// Sets the column of this name; an unknown name is refused with the nearest one.
    pub fn set_named(&mut self, name: &str, value: Scalar<'_>) -> Result<()> {
        self.set(self.schema.require(name)?, value)
    }

    /// Whether column `i` is null so far.
    pub fn is_null(&self, i: usize) -> bool {
        self.schema
            .slot(i)
            .is_none_or(|slot| self.head[HEADER_BYTES + slot.rank() / 8] >> (slot.rank() % 8) & 1 == 1)
    }

    /// The packed row. Refuses a missing value of a column that is not nullable, and a row over the size limit.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let nulls = &self.head[HEADER_BYTES..self.schema.layout().fixed_at];
        if self.schema.required().meets(nulls) {
            let mut columns = self.schema.columns().iter().enumerate();
            let missing = columns.find(|(i, column)| !column.nullable && self.is_null(*i));
            return Err(missing.map_or_else(
                || Error::internal("no column is missing"),
                |(_, column)| convert::missing(column),
            ));
        }
        let mut end = 0;
        let mut at = self.schema.layout().offsets_at;
        for (from, to) in &self.spans {
            end += to - from;
            self.head[at..at + 4].copy_from_slice(&(end as u32).to_le_bytes());
            at += 4;
        }
        let total = self.head.len() + end;
        if total > MAX_ROW_BYTES {
            return Err(too_long(total));
        }
        for (from, to) in self.spans {
            self.head.extend_from_slice(&self.variable[from..to]);
        }
        Ok(self.head)
    }

    fn append(&mut self, value: Scalar<'_>) -> Result<(usize, usize)> {
        let bytes = match value {
            Scalar::Str(text) => text.as_bytes(),
            Scalar::Bytes(bytes) => bytes,
            _ => return Ok((0, 0)),
        };
        if bytes.len() > MAX_ROW_BYTES {
            return Err(too_long(bytes.len()));
        }
        let from = self.variable.len();
        self.variable.extend_from_slice(bytes);
        Ok((from, self.variable.len()))
    }
}

fn too_long(bytes: usize) -> Error {
    Error::invalid(format!("the row has {bytes} bytes, more than the limit of {MAX_ROW_BYTES}"))
}

/// Writes a value over its bytes in the fixed section; null is zeroes. The value is of the column's kind, so that
/// lengths agree.
pub(super) fn store(cell: &mut [u8], value: Scalar<'_>) {
    match value {
        Scalar::Bool(value) => cell.copy_from_slice(&[u8::from(value)]),
        Scalar::I32(value) => cell.copy_from_slice(&value.to_le_bytes()),
        Scalar::I64(value) => cell.copy_from_slice(&value.to_le_bytes()),
        Scalar::F32(value) => cell.copy_from_slice(&value.to_le_bytes()),
        Scalar::F64(value) => cell.copy_from_slice(&value.to_le_bytes()),
        Scalar::Timestamp(value) => cell.copy_from_slice(&value.0.to_le_bytes()),
        Scalar::Vector(vector) => cell.copy_from_slice(vector.as_le_bytes()),
        Scalar::Null | Scalar::Str(_) | Scalar::Bytes(_) => cell.fill(0),
    }
}

/// Sets or clears a column's bit in the null bitmap of a row's bytes.
pub(super) fn mark(row: &mut [u8], rank: usize, null: bool) {
    let byte = &mut row[HEADER_BYTES + rank / 8];
    let bit = 1 << (rank % 8);
    *byte = if null { *byte | bit } else { *byte & !bit };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        row::{RowRef, samples},
        types::Timestamp,
    };

    fn refusal(name: &str, value: Scalar<'_>) -> String {
        let schema = samples::schema();
        Builder::new(&schema).set_named(name, value).unwrap_err().to_string()
    }

    #[test]
    fn packs_to_the_documented_layout() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        let expected = [
            &7u32.to_le_bytes()[..],
            // Slots 2, 3, 6, 9, 10 and 11 are null.
            &[0b0100_1100, 0b0000_1110],
            &[1],
            &(-7i32).to_le_bytes(),
            &[0; 8],
            &[0; 4],
            &2.5f64.to_le_bytes(),
            &1_700_000_000_123i64.to_le_bytes(),
            &[0; 12],
            &[0; 4],
            &3u32.to_le_bytes(),
            &3u32.to_le_bytes(),
            &9u32.to_le_bytes(),
            &9u32.to_le_bytes(),
            "annzwölf".as_bytes(),
        ]
        .concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn takes_what_fits() {
        let schema = samples::schema();
        let cases = [
            ("small", Scalar::I64(99), Scalar::I32(99)),
            ("small", Scalar::F64(12.0), Scalar::I32(12)),
            ("big", Scalar::I32(-1), Scalar::I64(-1)),
            ("single", Scalar::F64(0.1), Scalar::F32(0.1)),
            ("single", Scalar::F64(f64::INFINITY), Scalar::F32(f32::INFINITY)),
            ("double", Scalar::I64(1 << 60), Scalar::F64((1u64 << 60) as f64)),
            ("at", Scalar::I64(5), Scalar::Timestamp(Timestamp(5))),
            ("at", Scalar::Str("1970-01-01T01:00:00.5+01:00"), Scalar::Timestamp(Timestamp(500))),
        ];
        for (name, offered, stored) in cases {
            let mut one = Builder::new(&schema);
            one.set_named("flag", Scalar::Bool(false)).unwrap();
            one.set_named("name", Scalar::Str("")).unwrap();
            one.set_named("double", Scalar::F64(0.0)).unwrap();
            one.set_named("small", Scalar::I32(0)).unwrap();
            one.set_named(name, offered).unwrap();
            let bytes = one.finish().unwrap();
            let row = RowRef::new(&schema, &bytes).unwrap();
            assert_eq!(row.value(schema.column(name).unwrap()), stored, "{name} {offered}");
        }
    }

    #[test]
    fn refusals_name_column_value_and_bounds() {
        let cases = [
            ("smal", Scalar::I32(1), "there is no column `smal` (did you mean `small`?)"),
            ("small", Scalar::I64(1 << 40), "the column `small` is i32: 1099511627776 does not fit"),
            ("small", Scalar::F64(0.5), "the column `small` is i32: 0.5 is not a whole number"),
            ("small", Scalar::F64(f64::NAN), "the column `small` is i32: NaN is not a whole number"),
            ("small", Scalar::Str("a\n"), "the column `small` is i32: \"a\\n\" is of another type"),
            ("small", Scalar::I32(101), "the column `small` takes -100 to 100, not 101"),
            ("double", Scalar::F64(-0.5), "the column `double` takes at least 0, not -0.5"),
            ("big", Scalar::F64(9.3e18), "the column `big` is i64: 9300000000000000000 does not fit"),
            ("single", Scalar::F64(1e40), "does not fit"),
            ("flag", Scalar::I32(1), "the column `flag` is bool: 1 is of another type"),
            ("name", Scalar::Null, "the column `name` is missing (it is str and not nullable)"),
            ("score", Scalar::F32(0.5), "the column `score` is a score, which clients cannot write"),
            ("at", Scalar::Str("yesterday"), "timestamps are RFC 3339 text or epoch milliseconds"),
            (
                "embedding",
                Scalar::Vector(crate::row::VectorRef::from_le_bytes(&[0; 8])),
                "a vector of 2 has another",
            ),
        ];
        for (name, value, expected) in cases {
            let refusal = refusal(name, value);
            assert!(refusal.contains(expected), "{refusal:?} lacks {expected:?}");
        }
    }

    #[test]
    fn nan_passes_a_range() {
        let schema = samples::schema();
        Builder::new(&schema).set_named("double", Scalar::F64(f64::NAN)).unwrap();
    }

    #[test]
    fn a_missing_value_is_named() {
        let schema = samples::schema();
        let mut builder = Builder::new(&schema);
        builder.set_named("flag", Scalar::Bool(true)).unwrap();
        assert_eq!(builder.finish().unwrap_err().message, "the column `small` is missing");
    }

    #[test]
    fn a_row_has_a_limit() {
        let schema = samples::schema();
        let mut builder = Builder::new(&schema);
        let long = "x".repeat(MAX_ROW_BYTES);
        for (name, value) in [
            ("flag", Scalar::Bool(true)),
            ("small", Scalar::I32(0)),
            ("double", Scalar::F64(0.0)),
            ("name", Scalar::Str(&long)),
        ] {
            builder.set_named(name, value).unwrap();
        }
        assert!(builder.finish().unwrap_err().message.contains("more than the limit of 1048576"));
    }

    #[test]
    fn the_last_value_counts() {
        let schema = samples::schema();
        let mut builder = Builder::new(&schema);
        for (name, value) in [
            ("flag", Scalar::Bool(true)),
            ("small", Scalar::I32(0)),
            ("double", Scalar::F64(0.0)),
            ("name", Scalar::Str("first")),
            ("name", Scalar::Str("second")),
            ("note", Scalar::Str("gone")),
            ("note", Scalar::Null),
            ("big", Scalar::I64(1)),
            ("big", Scalar::Null),
        ] {
            builder.set_named(name, value).unwrap();
        }
        let bytes = builder.finish().unwrap();
        let row = RowRef::new(&schema, &bytes).unwrap();
        assert_eq!(row.value(5), Scalar::Str("second"));
        assert_eq!((row.value(7), row.value(2)), (Scalar::Null, Scalar::Null));
    }
}
