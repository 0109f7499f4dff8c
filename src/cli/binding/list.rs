//! `embergrid binding list`

use clap::Args;

use serde_json::{Value, json};

use crate::cli::{context::Context, failure::Result, table::Table};

/// List the bindings.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding list")]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result {
        let mut table = Table::new(["BINDING", "MAP", "MODEL", "VERSION", "MODE", "COLUMNS"]);
        let mut bindings: Vec<Value> = Vec::new();
        for binding in context.connect().await?.bindings().await? {
            bindings.push(json!({
                "binding": binding.name,
                "map": binding.map,
                "model": binding.reference,
                "model_version": binding.model_version,
                "mode": binding.mode,
                "columns": binding.columns,
            }));
            table.row([
                binding.name,
                binding.map,
                binding.reference,
                binding.model_version.to_string(),
                binding.mode,
                binding.columns.join(", "),
            ]);
        }
        Ok(context.output.answer(&json!({ "bindings": bindings }), table)?)
    }
}
