//! `embergrid map put`

use clap::Args;

use serde_json::{Value, json};

use crate::{
    cli::{
        context::Context,
        failure::{Failure, Result},
        shape,
    },
    client::{Map, Score},
    types::{Error, Key},
};

/// Put one row; prints its version, the old row and the scores.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map put profiles c-17 '{\"name\": \"Ada\", \"limit\": 500.0}'")]
pub(super) struct Put {
    /// The map's name.
    map: String,
    /// The row's key.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The row as a JSON object; for a plain map, the value as it is.
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    row: String,
    /// Keep the row in the partition of this affinity; it is part of the key.
    #[arg(long)]
    affinity: Option<String>,
}

impl Put {
    pub(super) async fn run(self, context: &Context) -> Result {
        let value: Value = serde_json::from_str(&self.row).map_err(|error| {
            Failure::Usage(
                Error::invalid(format!("the row is not JSON: {error}"))
                    .hint("quote it for the shell: '{..}'"),
            )
        })?;
        let map = context.map(&self.map).await?;
        let key = Key::parse(&self.key, map.description().key_kind, self.affinity.as_deref())?;
        let put = map.put_raw(&key, pack(&map, &value)?.into()).await?;
        let is_plain = map.description().schema.is_none();
        let object = json!({
            "key": key.payload(),
            "version": put.version.0,
            "old": shape::optional_row(put.old.as_ref(), is_plain)?,
            "scores": shape::scores(&put.scores),
        });
        let scores: String = put.scores.iter().map(told).collect();
        Ok(context.output.answer(&object, format_args!("{key}: version {}{scores}", put.version))?)
    }
}

fn pack(map: &Map, value: &Value) -> Result<Vec<u8>> {
    if map.description().schema.is_none() {
        return Ok(shape::plain_value(value)?);
    }
    match value {
        Value::Object(object) => Ok(map.pack_json(object)?.to_vec()),
        other => Err(Error::invalid(format!("the row is {other}"))
            .hint("a row is a JSON object: '{\"column\": 1}'")
            .into()),
    }
}

/// One line of a binding's scores.
fn told(score: &Score) -> String {
    let values: Vec<String> = score.values().map(|(name, value)| format!("{name} = {value}")).collect();
    let binding = &score.binding;
    format!(
        "\n  {}  ({}, {} version {})",
        values.join(", "),
        binding.name,
        binding.model,
        score.model_version
    )
}
