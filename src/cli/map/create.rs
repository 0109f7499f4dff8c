//! `embergrid map create`

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use serde_json::json;

use crate::cli::{
    context::{Context, read_text},
    failure::Result,
};

/// Create a map: a feature map from its schema file, or a plain map of opaque bytes.
///
/// Creating it again with the same definition does nothing; with another definition it is a conflict.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("kind").required(true).args(["schema", "plain"]))]
#[command(after_help = "Example:\n  embergrid map create screening --schema cluster/screening.schema.toml")]
pub(super) struct Create {
    /// The map's name; the file's must agree.
    map: String,
    /// The schema file (TOML) of a feature map.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A plain map: values are opaque bytes.
    #[arg(long)]
    plain: bool,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Result {
        let schema = self.schema.as_deref().map(read_text).transpose()?;
        let map = context.connect().await?.create_map(&self.map, schema.as_deref()).await?;
        let columns = map.schema.as_ref().map_or(0, |schema| schema.columns().len());
        let kind = if map.schema.is_some() { "feature" } else { "plain" };
        let text = match kind {
            "plain" => format!("created the plain map {}", map.name),
            _ => format!("created the feature map {} with {columns} columns", map.name),
        };
        Ok(context.output.answer(&json!({ "map": map.name, "kind": kind, "columns": columns }), text)?)
    }
}
