//! What the server asks of a row before it enters a map.

use super::{RowRef, Schema, convert};
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
    for (i, column) in schema.columns().iter().enumerate() {
        if row.is_null(i) {
            if !column.nullable {
                return Err(convert::missing(column));
            }
        } else if column.is_score {
            if writer == Writer::Client {
                return Err(convert::score_written(column));
            }
        } else if column.min.is_some() || column.max.is_some() {
            convert::in_range(column, row.value(i))?;
        }
    }
    Ok(())
}
