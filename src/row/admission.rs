//! What the server asks of a row before it enters a map.

use super::{Column, RowRef, Schema, convert};
use crate::types::{Error, Result};

/// Who writes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A client: score columns must be null.
    Client,
    /// The grid itself, which alone fills score columns.
    Grid,
}

/// Refuses a row that lacks a value, has one out of range, or has a score from a client.
///
/// The row must be written under the schema itself: what is stored under an older one stays readable, but nothing new
/// is written under it. NaN passes; whether it may be scored is the binding's decision.
pub fn check(schema: &Schema, row: RowRef<'_>, writer: Writer) -> Result<()> {
    if row.schema_id() != schema.id() {
        return Err(Error::invalid(format!(
            "the row is for schema {}; the map has schema {}",
            row.schema_id(),
            schema.id()
        ))
        .hint("fetch the map's schema again"));
    }
    if schema.required().meets(row.nulls()) {
        return Err(first(schema, |i| row.is_null(i) && !schema.columns()[i].nullable, convert::missing));
    }
    if writer == Writer::Client && !schema.scores().is_within(row.nulls()) {
        return Err(first(
            schema,
            |i| !row.is_null(i) && schema.columns()[i].is_score,
            convert::score_written,
        ));
    }
    schema.ranged().try_for_each(|i| match row.f64(i) {
        Some(number) if !schema.columns()[i].admits(number) => {
            convert::in_range(&schema.columns()[i], row.value(i))
        }
        _ => Ok(()),
    })
}

/// The refusal of the first column at fault.
fn first(schema: &Schema, at_fault: impl Fn(usize) -> bool, refusal: fn(&Column) -> Error) -> Error {
    let found = schema.columns().iter().enumerate().find(|(i, _)| at_fault(*i));
    found.map_or_else(|| Error::internal("no column is at fault"), |(_, column)| refusal(column))
}
