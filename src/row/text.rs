//! Cells of text files.

use serde_json::Value;

use super::{Builder, Column, Kind, Scalar, VectorRef, json};
use crate::types::{Error, Result};

/// Sets column `i` from a cell: empty is null; bools are `true`, `false`, `1` or `0`; timestamps RFC 3339 or epoch
/// milliseconds; bytes base64; vectors JSON arrays.
pub fn set_text(builder: &mut Builder<'_>, i: usize, cell: &str) -> Result<()> {
    let Some(column) = builder.schema().columns().get(i) else { return builder.set(i, Scalar::Null) };
    if cell.is_empty() {
        return builder.set(i, Scalar::Null);
    }
    match column.kind {
        Kind::Str => builder.set(i, Scalar::Str(cell)),
        Kind::Bytes => builder.set(i, Scalar::Bytes(&json::base64(column, cell.trim())?)),
        Kind::Vector(_) => match serde_json::from_str::<Vec<Value>>(cell) {
            Ok(elements) => json::set(builder, i, &Value::Array(elements)),
            Err(_) => Err(mistyped(column, cell)),
        },
        kind => match simple(kind, cell.trim()) {
            Some(value) => builder.set(i, value),
            None => Err(mistyped(column, cell)),
        },
    }
}

/// Sets the vector column `i` from a cell an element. All empty is null.
pub fn set_elements<'a>(
    builder: &mut Builder<'_>,
    i: usize,
    cells: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    let Some(column) = builder.schema().columns().get(i) else { return builder.set(i, Scalar::Null) };
    let mut bytes = Vec::new();
    let mut empty = None;
    for (at, cell) in cells.into_iter().map(str::trim).enumerate() {
        if cell.is_empty() {
            empty.get_or_insert(at);
            continue;
        }
        let number: f32 = cell.parse().map_err(|_| {
            Error::invalid(format!("the column `{}_{at}` is not a number: {:?}", column.name, cell))
        })?;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    match empty {
        Some(_) if bytes.is_empty() => builder.set(i, Scalar::Null),
        Some(at) => Err(Error::invalid(format!("the column `{}_{at}` is empty", column.name))
            .hint("give every element of the vector, or none")),
        None => builder.set(i, Scalar::Vector(VectorRef::from_le_bytes(&bytes))),
    }
}

fn simple(kind: Kind, cell: &str) -> Option<Scalar<'_>> {
    match kind {
        Kind::Bool => match cell {
            "1" => Some(Scalar::Bool(true)),
            "0" => Some(Scalar::Bool(false)),
            _ if cell.eq_ignore_ascii_case("true") => Some(Scalar::Bool(true)),
            _ if cell.eq_ignore_ascii_case("false") => Some(Scalar::Bool(false)),
            _ => None,
        },
        Kind::Timestamp => Some(cell.parse().map_or(Scalar::Str(cell), Scalar::I64)),
        Kind::F32 | Kind::F64 => cell.parse().ok().map(Scalar::F64),
        _ => cell.parse().map(Scalar::I64).or_else(|_| cell.parse().map(Scalar::F64)).ok(),
    }
}

fn mistyped(column: &Column, cell: &str) -> Error {
    Error::invalid(format!("the column `{}` is {}, not {}", column.name, column.kind, Scalar::Str(cell)))
}
