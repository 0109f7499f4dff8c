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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        row::{RowRef, samples, to_json},
        types,
    };

    fn stored(
        name: &str,
        set: impl FnOnce(&mut Builder<'_>, usize) -> types::Result<()>,
    ) -> std::result::Result<String, String> {
        let schema = samples::schema();
        let mut builder = Builder::new(&schema);
        for (name, cell) in [("flag", "1"), ("small", "0"), ("double", "0"), ("name", "x")] {
            set_text(&mut builder, schema.column(name).unwrap(), cell).unwrap();
        }
        set(&mut builder, schema.column(name).unwrap()).map_err(|error| error.message.into_owned())?;
        let bytes = builder.finish().unwrap();
        Ok(to_json(RowRef::new(&schema, &bytes).unwrap())[name].to_string())
    }

    #[test]
    fn reads_cells() {
        for (name, cell, expected) in [
            ("flag", "True", "true"),
            ("flag", "0", "false"),
            ("small", " 42 ", "42"),
            ("small", "3.0", "3"),
            ("big", "-9223372036854775808", "-9223372036854775808"),
            ("big", "", "null"),
            ("single", "0.1", "0.1"),
            ("double", "1e3", "1000.0"),
            ("double", "nan", "\"NaN\""),
            ("name", " kept ", "\" kept \""),
            ("blob", "AP8=", "\"AP8=\""),
            ("at", "1700000000123", "\"2023-11-14T22:13:20.123Z\""),
            ("at", "2023-11-14T22:13:20.123Z", "\"2023-11-14T22:13:20.123Z\""),
            ("embedding", "[1, 2.5, -3]", "[1.0,2.5,-3.0]"),
        ] {
            assert_eq!(
                stored(name, |builder, i| set_text(builder, i, cell)),
                Ok(expected.into()),
                "{name} {cell}"
            );
        }
    }

    #[test]
    fn refuses_cells_that_do_not_fit() {
        for (name, cell, expected) in [
            ("flag", "yes", "the column `flag` is bool, not \"yes\""),
            ("small", "1.5", "the column `small` is i32: 1.5 is not a whole number"),
            ("small", "x", "the column `small` is i32, not \"x\""),
            ("small", "101", "the column `small` takes -100 to 100, not 101"),
            ("double", "1,5", "the column `double` is f64, not \"1,5\""),
            ("name", "", "the column `name` is missing"),
            ("at", "May", "the column `at` is timestamp: \"May\" is of another type"),
            ("embedding", "1;2;3", "the column `embedding` is vector<f32,3>, not \"1;2;3\""),
            ("score", "0.5", "the column `score` is a score, which clients cannot write"),
        ] {
            assert_eq!(stored(name, |builder, i| set_text(builder, i, cell)), Err(expected.into()));
        }
    }

    #[test]
    fn reads_a_vector_spread_over_cells() {
        let spread =
            |cells: [&'static str; 3]| stored("embedding", |builder, i| set_elements(builder, i, cells));
        assert_eq!(spread(["1", " 2 ", "0.1"]), Ok("[1.0,2.0,0.1]".into()));
        assert_eq!(spread(["", "", ""]), Ok("null".into()));
        assert_eq!(spread(["1", "", "2"]), Err("the column `embedding_1` is empty".into()));
        assert_eq!(spread(["1", "x", "2"]), Err("the column `embedding_1` is not a number: \"x\"".into()));
    }
}
