//! `embergrid map get`

use clap::Args;

use crate::{
    cli::{context::Context, failure::Result, shape},
    types::{Error, Key},
};

/// Read one row with its version and the lineage of its scores.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map get screening 842302")]
pub(super) struct Get {
    /// The map's name.
    map: String,
    /// The row's key.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The affinity that the row was put with; it is part of the key.
    #[arg(long)]
    affinity: Option<String>,
}

impl Get {
    pub(super) async fn run(self, context: &Context) -> Result {
        let map = context.map(&self.map).await?;
        let key = Key::parse(&self.key, map.description().key_kind, self.affinity.as_deref())?;
        let row = map.get_raw(&key).await?.ok_or_else(|| {
            let error = Error::not_found(format!("the map {} has no row {key}", self.map));
            match self.affinity {
                None => error.hint("if it was put with an affinity, say `--affinity`: it is part of the key"),
                Some(_) => error,
            }
        })?;
        let object = shape::stored(&key, &row, map.description().schema.is_none())?;
        Ok(context.output.answer(&object, shape::lines(&object))?)
    }
}
