//! `embergrid execute`

use clap::Args;

use super::{context::Context, failure::Result, shape};
use crate::types::Key;

/// Update a row where it lives, atomically, with SQL assignments.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid execute accounts c-17 \"SET balance = balance + 25, updates = updates + 1\""
)]
pub(super) struct Execute {
    /// The map's name.
    map: String,
    /// The row's key.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// `SET column = expression, ..`
    #[arg(value_name = "UPDATE")]
    update: String,
    /// The affinity that the row was put with; it is part of the key.
    #[arg(long)]
    affinity: Option<String>,
}

impl Execute {
    pub(super) async fn run(self, context: &Context) -> Result {
        let map = context.map(&self.map).await?;
        let key = Key::parse(&self.key, map.description().key_kind, self.affinity.as_deref())?;
        let row = map.execute_on_key(&key, &self.update).await?;
        let object = serde_json::json!({
            "key": key.payload(),
            "version": row.version.0,
            "row": shape::row(&row, map.description().schema.is_none())?,
        });
        Ok(context.output.answer(&object, shape::lines(&object))?)
    }
}
