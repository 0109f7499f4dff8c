//! `embergrid map size`

use clap::Args;

use serde_json::json;

use crate::cli::{context::Context, failure::Result};

/// Count a map's rows.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map size screening")]
pub(super) struct Size {
    /// The map's name.
    map: String,
}

impl Size {
    pub(super) async fn run(self, context: &Context) -> Result {
        let size = context.map(&self.map).await?.size().await?;
        Ok(context.output.answer(&json!({ "size": size }), size)?)
    }
}
