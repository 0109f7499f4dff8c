//! Making a packed row.

use super::{
    MAX_ROW_BYTES, Scalar, Schema, Writer, convert,
    layout::{HEADER_BYTES, Place},
};
use crate::types::{Error, Result};

/// Packs one row, column by column, in any order. A column that is not set is null.
#[derive(Debug)]
pub struct Builder<'s> {
    schema: &'s Schema,
    writer: Writer,
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
        let mut head = vec![0; layout.variable_at];
        head[..HEADER_BYTES].copy_from_slice(&schema.id().0.to_le_bytes());
        let bitmap = &mut head[HEADER_BYTES..layout.fixed_at];
        bitmap.fill(0xff);
        if let (Some(last), used @ 1..) = (bitmap.last_mut(), layout.slots % 8) {
            *last = (1 << used) - 1;
        }
        Builder { schema, writer, head, variable: Vec::new(), spans: vec![(0, 0); layout.variables()] }
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
        let value = convert::fit(column, value)?;
        if column.is_score && self.writer == Writer::Client && !value.is_null() {
            return Err(convert::score_written(column));
        }
        match slot.place {
            Place::Fixed { at, len } => {
                let start = schema.layout().fixed_at + at;
                store(&mut self.head[start..start + len], value);
            }
            Place::Variable { index } => self.spans[index] = self.append(value)?,
        }
        mark(&mut self.head, slot.rank, value.is_null());
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
            .is_none_or(|slot| self.head[HEADER_BYTES + slot.rank / 8] >> (slot.rank % 8) & 1 == 1)
    }

    /// The packed row. Refuses a missing value of a column that is not nullable, and a row over the size limit.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        for (i, column) in self.schema.columns().iter().enumerate() {
            if !column.nullable && self.is_null(i) {
                return Err(convert::missing(column));
            }
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
        self.head.reserve_exact(end);
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
