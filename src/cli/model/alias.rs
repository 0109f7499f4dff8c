//! `embergrid model alias`

use clap::Args;

use serde_json::json;

use crate::cli::{context::Context, failure::Result};

/// Name a deployed version by an alias; bindings that use the alias follow.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model alias breast-cancer champion 2")]
pub(super) struct Alias {
    /// The model's name.
    name: String,
    /// The alias to set or move.
    alias: String,
    /// The version that it names from now on.
    version: u32,
}

impl Alias {
    pub(super) async fn run(self, context: &Context) -> Result {
        let model = context.connect().await?.set_alias(&self.name, &self.alias, self.version).await?;
        let object = json!({ "name": model.name, "alias": self.alias, "version": self.version });
        let text = format!("{}@{} is version {}", model.name, self.alias, self.version);
        Ok(context.output.answer(&object, text)?)
    }
}
