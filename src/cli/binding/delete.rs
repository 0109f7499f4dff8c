//! `embergrid binding delete`

use clap::Args;

use serde_json::json;

use crate::cli::{context::Context, failure::Result};

/// Delete a binding; scores already stored stay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding delete screening-malignant")]
pub(super) struct Delete {
    /// The binding's name.
    name: String,
}

impl Delete {
    pub(super) async fn run(self, context: &Context) -> Result {
        context.connect().await?.delete_binding(&self.name).await?;
        let text = format!("deleted the binding {}; the scores it stored stay", self.name);
        Ok(context.output.answer(&json!({ "binding": self.name }), text)?)
    }
}
