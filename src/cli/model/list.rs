//! `embergrid model list`

use clap::Args;

use serde_json::{Value, json};

use crate::cli::{context::Context, failure::Result, table::Table};

/// List the models with their versions and aliases.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model list")]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result {
        let mut table = Table::new(["MODEL", "VERSIONS", "ALIASES"]);
        let mut models: Vec<Value> = Vec::new();
        for model in context.connect().await?.models().await? {
            let versions: Vec<u32> = model.versions.iter().map(|version| version.version).collect();
            let shown: Vec<String> = versions.iter().map(ToString::to_string).collect();
            table.row([model.name.clone(), shown.join(", "), super::aliases(&model).join(", ")]);
            models.push(json!({ "name": model.name, "versions": versions, "aliases": model.aliases }));
        }
        Ok(context.output.answer(&json!({ "models": models }), table)?)
    }
}
