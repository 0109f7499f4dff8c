//! Rows as JSON objects, for people and for languages without an SDK.
//!
//! Integers and floats are numbers, `NaN`, `Infinity` and `-Infinity` strings, bytes base64, timestamps RFC 3339 (epoch
//! milliseconds are taken too), vectors arrays.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Builder, Column, Kind, RowRef, Scalar, Schema, VectorRef, convert};
use crate::types::{Error, Result};

/// The row as a JSON object, nulls included.
pub fn to_json(row: RowRef<'_>) -> Map<String, Value> {
    let names = row.schema().columns().iter().map(|column| column.name.clone());
    names.zip(row.values().map(scalar_to_json)).collect()
}

/// One value as JSON.
pub fn scalar_to_json(value: Scalar<'_>) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => value.into(),
        Scalar::I32(value) => value.into(),
        Scalar::I64(value) => value.into(),
        Scalar::F32(value) => single(value),
        Scalar::F64(value) => double(value),
        Scalar::Str(text) => text.into(),
        Scalar::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Scalar::Timestamp(at) => convert::timestamp_text(at).into(),
        Scalar::Vector(vector) => vector.iter().map(single).collect(),
    }
}

/// Packs a JSON object. A column left out is null; an unknown one is refused with the nearest name.
pub fn from_json(schema: &Schema, object: &Map<String, Value>) -> Result<Vec<u8>> {
    let mut builder = Builder::new(schema);
    for (name, value) in object {
        set(&mut builder, schema.require(name)?, value)?;
    }
    builder.finish()
}

/// The shortest decimal that reads back as this `f32`, not the digits of its widening.
fn single(value: f32) -> Value {
    if value.is_finite() {
        double(value.to_string().parse().unwrap_or(f64::from(value)))
    } else {
        symbol(value.into())
    }
}

fn double(value: f64) -> Value {
    if value.is_finite() { value.into() } else { symbol(value) }
}

fn symbol(value: f64) -> Value {
    Value::from(match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    })
}

/// The float that `"NaN"`, `"Infinity"` or `"-Infinity"` stands for.
pub(super) fn special(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Sets column `i` from a JSON value.
pub(super) fn set(builder: &mut Builder<'_>, i: usize, value: &Value) -> Result<()> {
    let Some(column) = builder.schema().columns().get(i) else { return builder.set(i, Scalar::Null) };
    match (column.kind, value) {
        (_, Value::Null) => builder.set(i, Scalar::Null),
        (_, Value::Bool(value)) => builder.set(i, Scalar::Bool(*value)),
        (_, Value::Number(number)) => builder.set(i, self::number(column, number)?),
        (Kind::F32 | Kind::F64, Value::String(text)) => match special(text) {
            Some(number) => builder.set(i, Scalar::F64(number)),
            None => builder.set(i, Scalar::Str(text)),
        },
        (Kind::Bytes, Value::String(text)) => builder.set(i, Scalar::Bytes(&base64(column, text)?)),
        (_, Value::String(text)) => builder.set(i, Scalar::Str(text)),
        (Kind::Vector(_), Value::Array(elements)) => {
            let bytes = vector(column, elements)?;
            builder.set(i, Scalar::Vector(VectorRef::from_le_bytes(&bytes)))
        }
        (_, Value::Array(_)) => Err(mistyped(column, "an array")),
        (_, Value::Object(_)) => Err(mistyped(column, "an object")),
    }
}

fn number<'a>(column: &Column, number: &serde_json::Number) -> Result<Scalar<'a>> {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(integer), ..) => Ok(Scalar::I64(integer)),
        // Above i64: a float column rounds it, an integer column must not see it rounded.
        (_, Some(large), _) if !matches!(column.kind, Kind::F32 | Kind::F64) => Err(Error::invalid(format!(
            "the column `{}` is {}: {large} does not fit",
            column.name, column.kind
        ))),
        (.., Some(float)) => Ok(Scalar::F64(float)),
        _ => Err(mistyped(column, "a number beyond f64")),
    }
}

pub(super) fn base64(column: &Column, text: &str) -> Result<Vec<u8>> {
    STANDARD
        .decode(text)
        .map_err(|error| Error::invalid(format!("the column `{}` is not base64: {error}", column.name)))
}

pub(super) fn vector(column: &Column, elements: &[Value]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(elements.len() * 4);
    for (at, element) in elements.iter().enumerate() {
        let number = match element {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => special(text),
            _ => None,
        };
        let Some(number) = number else {
            return Err(Error::invalid(format!(
                "the column `{}[{at}]` is not a number: {element}",
                column.name
            )));
        };
        bytes.extend_from_slice(&(number as f32).to_le_bytes());
    }
    Ok(bytes)
}

fn mistyped(column: &Column, what: &str) -> Error {
    Error::invalid(format!("the column `{}` is {}, not {what}", column.name, column.kind))
}

/// The row as an object in the order of its columns.
impl Serialize for RowRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let columns = self.schema().columns();
        let mut map = serializer.serialize_map(Some(columns.len()))?;
        for (column, value) in columns.iter().zip(self.values()) {
            map.serialize_entry(&column.name, &scalar_to_json(value))?;
        }
        map.end()
    }
}
