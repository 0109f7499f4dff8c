//! Rows, scores and lineage as JSON: the shapes of `map put` and `map get`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    partition::MapView,
    row::{self, RowRef, scalar_to_json, to_json},
    server::{answer::named_scores, rows::names},
    store::Record,
    types::{Error, Result},
};

/// The value that a body stands for: an object of columns, or a string of base64 for a plain map.
pub(super) fn value(map: &MapView, body: &[u8]) -> Result<Bytes> {
    let json: Value = serde_json::from_slice(body)
        .map_err(|error| Error::invalid(format!("the body is not JSON: {error}")))?;
    match (map.map.schema(), json) {
        (Some(schema), Value::Object(columns)) => Ok(row::from_json(schema, &columns)?.into()),
        (Some(_), other) => Err(Error::invalid(format!("a row is a JSON object, not {}", kind(&other)))
            .hint("write for example {\"amount\": 12.5}")),
        (None, Value::String(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(Error::invalid(format!("the value is not base64: {error}"))
                .hint("a plain map's value is a JSON string of base64")),
        },
        (None, other) => {
            Err(Error::invalid(format!("the value of a plain map is a JSON string, not {}", kind(&other)))
                .hint("a plain map's value is a JSON string of base64"))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A stored row as an object; the bytes of a plain map as base64.
pub(super) fn row(map: &MapView, record: &Record) -> Result<Value> {
    match map.map.schema() {
        Some(schema) => Ok(Value::Object(to_json(RowRef::trusted(schema, record.value())?))),
        None => Ok(STANDARD.encode(record.value()).into()),
    }
}

/// The row if there is one, else null.
pub(super) fn optional_row(map: &MapView, record: Option<&Record>) -> Result<Value> {
    record.map_or(Ok(Value::Null), |record| row(map, record))
}

/// Where the row's scores came from.
pub(super) fn lineage(map: &MapView, record: &Record) -> Value {
    let one = |from: crate::store::Lineage| {
        let (binding, model) = names(map, from.binding);
        json!({
            "binding": binding,
            "model": model,
            "model_version": from.model_version,
            "row_version": record.row_version().0,
        })
    };
    record.lineage().map(one).collect()
}

/// What the bindings made of the row.
pub(super) fn scores(map: &MapView, record: &Record) -> Result<Value> {
    let Some(schema) = map.map.schema() else { return Ok(Value::Array(Vec::new())) };
    let row = RowRef::trusted(schema, record.value())?;
    let one = |from: crate::store::Lineage| {
        let bound = crate::server::rows::binding(map, from.binding);
        let values: Map<String, Value> = bound
            .into_iter()
            .flat_map(|binding| named_scores(schema, row, binding))
            .map(|(name, value)| (name.to_string(), scalar_to_json(value)))
            .collect();
        let (binding, model) = names(map, from.binding);
        json!({
            "binding": binding,
            "values": values,
            "model": model,
            "model_version": from.model_version,
        })
    };
    Ok(record.lineage().map(one).collect())
}
