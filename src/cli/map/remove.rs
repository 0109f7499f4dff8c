//! `embergrid map remove`

use clap::Args;

use serde_json::json;

use crate::{
    cli::{context::Context, failure::Result, shape},
    types::Key,
};

/// Remove one row; prints what it was.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map remove screening 842302")]
pub(super) struct Remove {
    /// The map's name.
    map: String,
    /// The row's key.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The affinity that the row was put with; it is part of the key.
    #[arg(long)]
    affinity: Option<String>,
}

impl Remove {
    pub(super) async fn run(self, context: &Context) -> Result {
        let map = context.map(&self.map).await?;
        let key = Key::parse(&self.key, map.description().key_kind, self.affinity.as_deref())?;
        let old = map.remove(&key).await?;
        let object = json!({
            "key": key.payload(),
            "old": shape::optional_row(old.as_ref(), map.description().schema.is_none())?,
        });
        let text = match old {
            Some(old) => format!("removed {key}, version {}", old.version),
            None => format!("there was no {key}"),
        };
        Ok(context.output.answer(&object, text)?)
    }
}
