//! Keys, rows and scores as JSON: the shapes of `map put` and `map get`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    client::{Lineage, Row, Score},
    row::{scalar_to_json, to_json},
    types::{Error, Key, Result},
};

/// A row of a feature map as an object, the bytes of a plain one as base64.
pub(super) fn row(row: &Row, is_plain: bool) -> Result<Value> {
    if is_plain {
        return Ok(STANDARD.encode(row.bytes()).into());
    }
    Ok(Value::Object(to_json(row.columns()?)))
}

/// The row if there is one, else null.
pub(super) fn optional_row(stored: Option<&Row>, is_plain: bool) -> Result<Value> {
    stored.map_or(Ok(Value::Null), |stored| row(stored, is_plain))
}

/// What `map get` prints.
pub(super) fn stored(stored_key: &Key, stored: &Row, is_plain: bool) -> Result<Value> {
    Ok(json!({
        "key": stored_key.payload(),
        "version": stored.version.0,
        "row": row(stored, is_plain)?,
        "lineage": lineage(&stored.lineage),
    }))
}

/// The same for people: a column a line.
pub(super) fn lines(stored: &Value) -> String {
    let mut lines = vec![format!("key      {}", stored["key"]), format!("version  {}", stored["version"])];
    match &stored["row"] {
        Value::Object(columns) => {
            let width = columns.keys().map(|name| name.chars().count()).max().unwrap_or_default();
            lines.extend(columns.iter().map(|(name, value)| format!("  {name:width$}  {value}")));
        }
        value => lines.push(format!("value    {value}")),
    }
    for from in stored["lineage"].as_array().into_iter().flatten() {
        let part = |name: &str| from[name].to_string().trim_matches('"').to_owned();
        lines.push(format!(
            "scored by {} with {} version {}, of row version {}",
            part("binding"),
            part("model"),
            part("model_version"),
            part("row_version")
        ));
    }
    lines.join("\n")
}

/// Where each stored score came from.
pub(super) fn lineage(lineage: &[Lineage]) -> Value {
    let one = |from: &Lineage| {
        json!({
            "binding": from.binding.name,
            "model": from.binding.model,
            "model_version": from.model_version,
            "row_version": from.row_version.0,
        })
    };
    lineage.iter().map(one).collect()
}

/// What the bindings made of a row.
pub(super) fn scores(scores: &[Score]) -> Value {
    let one = |score: &Score| {
        let values = score.values().map(|(name, value)| (name.to_owned(), scalar_to_json(value)));
        json!({
            "binding": score.binding.name,
            "values": values.collect::<serde_json::Map<_, _>>(),
            "model": score.binding.model,
            "model_version": score.model_version,
        })
    };
    scores.iter().map(one).collect()
}

/// A plain map's value as it stands in JSON.
pub(super) fn plain_value(value: &Value) -> Result<Vec<u8>> {
    let refuse = |why: String| {
        Error::invalid(why)
            .hint("a plain map's value is a JSON string of base64: \"'\"'$(base64 < file)'\"'\"")
    };
    match value {
        Value::String(text) => {
            STANDARD.decode(text).map_err(|error| refuse(format!("the value is not base64: {error}")))
        }
        other => Err(refuse(format!("the value of a plain map is {other}"))),
    }
}
