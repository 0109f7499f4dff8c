//! `embergrid map list`

use clap::Args;

use serde_json::{Value, json};

use crate::cli::{context::Context, failure::Result, table::Table};

/// List the maps with their kind and size.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map list")]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result {
        let client = context.connect().await?;
        let mut table = Table::new(["MAP", "KIND", "KEY", "COLUMNS", "BINDINGS", "ROWS"]);
        let mut maps: Vec<Value> = Vec::new();
        for map in client.maps().await? {
            let size = client.map(&map.name).await?.size().await?;
            let kind = if map.schema.is_some() { "feature" } else { "plain" };
            let columns = map.schema.as_ref().map_or(0, |schema| schema.columns().len());
            let bindings: Vec<&str> = map.bindings.iter().map(|binding| binding.name.as_str()).collect();
            let key = map.key_name.clone().unwrap_or_else(|| "-".to_owned());
            table.row([
                map.name.clone(),
                kind.to_owned(),
                key,
                columns.to_string(),
                bindings.join(", "),
                size.to_string(),
            ]);
            maps.push(json!({
                "map": map.name,
                "kind": kind,
                "key": map.key_name,
                "key_type": map.key_kind,
                "columns": columns,
                "bindings": bindings,
                "size": size,
            }));
        }
        Ok(context.output.answer(&json!({ "maps": maps }), table)?)
    }
}
