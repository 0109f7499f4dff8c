//! `embergrid map drop`

use clap::Args;

use serde_json::json;

use crate::cli::{context::Context, failure::Result};

/// Drop a map and every row in it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map drop screening")]
pub(super) struct Drop {
    /// The map's name.
    map: String,
}

impl Drop {
    pub(super) async fn run(self, context: &Context) -> Result {
        context.connect().await?.drop_map(&self.map).await?;
        Ok(context
            .output
            .answer(&json!({ "map": self.map }), format_args!("dropped the map {}", self.map))?)
    }
}
