//! Rows as JSON objects, for people and for languages without an SDK.
//!
//! Integers and floats are numbers, `NaN`, `Infinity` and `-Infinity` strings, bytes base64, timestamps RFC 3339 (epoch
//! milliseconds are taken too), vectors arrays.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Builder, Column, Kind, RowRef, Scalar, Schema, VectorRef};
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
        Scalar::Timestamp(at) => at.to_string().into(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::row::samples;

    fn base() -> Map<String, Value> {
        let Value::Object(object) = json!({"flag": true, "small": 1, "double": 0.5, "name": "x"}) else {
            unreachable!("an object was written")
        };
        object
    }

    /// What the column reads back as.
    fn stored(name: &str, value: Value) -> std::result::Result<Value, String> {
        let schema = samples::schema();
        let mut object = base();
        object.insert(name.into(), value);
        let bytes = from_json(&schema, &object).map_err(|error| error.to_string())?;
        let row = RowRef::new(&schema, &bytes).unwrap();
        Ok(to_json(row).remove(name).unwrap())
    }

    #[test]
    fn values_read_back_as_written() {
        for (name, value) in [
            ("flag", json!(false)),
            ("small", json!(-3)),
            ("big", json!(i64::MIN)),
            ("big", json!(9_007_199_254_740_993i64)),
            ("single", json!(0.1)),
            ("single", json!("NaN")),
            ("double", json!("Infinity")),
            ("single", json!("-Infinity")),
            ("blob", json!("AP8=")),
            ("at", json!("2024-02-29T12:00:00.25Z")),
            ("embedding", json!([1.5, "NaN", -0.1])),
            ("note", json!(null)),
        ] {
            assert_eq!(stored(name, value.clone()), Ok(value), "{name}");
        }
        assert_eq!(stored("at", json!(1_709_208_000_250i64)), Ok(json!("2024-02-29T12:00:00.25Z")));
        assert_eq!(stored("at", json!("2024-02-29T13:00:00.25+01:00")), Ok(json!("2024-02-29T12:00:00.25Z")));
        assert_eq!(stored("big", json!(3.0)), Ok(json!(3)));
        assert_eq!(stored("at", json!(i64::MAX)), Ok(json!(i64::MAX.to_string())));
    }

    #[test]
    fn refusals_name_the_column() {
        for (name, value, expected) in [
            ("nam", json!("x"), "there is no column `nam` (did you mean `name`?)"),
            ("small", json!("one"), "the column `small` is i32: \"one\" is of another type"),
            ("small", json!(1i64 << 40), "the column `small` is i32: 1099511627776 does not fit"),
            ("big", json!(u64::MAX), "the column `big` is i64: 18446744073709551615 does not fit"),
            ("big", json!(1.5), "the column `big` is i64: 1.5 is not a whole number"),
            ("double", json!(-1), "the column `double` takes at least 0, not -1"),
            ("name", json!(null), "the column `name` is missing (it is str and not nullable)"),
            ("name", json!(7), "the column `name` is str: 7 is of another type"),
            ("name", json!(["x"]), "the column `name` is str, not an array"),
            ("name", json!({"a": 1}), "the column `name` is str, not an object"),
            ("blob", json!("*"), "the column `blob` is not base64: Invalid symbol 42, offset 0."),
            (
                "embedding",
                json!([1, 2]),
                "the column `embedding` is vector<f32,3>: a vector of 2 has another length",
            ),
            ("embedding", json!([1, "a", 2]), "the column `embedding[1]` is not a number: \"a\""),
        ] {
            assert_eq!(stored(name, value), Err(expected.into()));
        }
        let schema = samples::schema();
        let mut object = base();
        object.remove("double");
        assert_eq!(from_json(&schema, &object).unwrap_err().message, "the column `double` is missing");
        object.insert("score".into(), json!(0.5));
        assert!(from_json(&schema, &object).unwrap_err().message.contains("clients cannot write"));
    }

    #[test]
    fn serializes_in_the_order_of_the_columns() {
        let schema = samples::schema();
        let bytes = samples::row(&schema);
        let row = RowRef::new(&schema, &bytes).unwrap();
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"flag":true,"small":-7,"big":null,"single":null,"double":2.5,"name":"ann","blob":null,"note":"zwölf","at":"2023-11-14T22:13:20.123Z","embedding":null,"score":null,"label":null}"#
        );
    }
}
