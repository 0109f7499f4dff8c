//! `embergrid binding apply`

use std::path::PathBuf;

use clap::Args;

use serde_json::json;

use crate::cli::{
    context::{Context, read_text},
    failure::Result,
};

/// Apply a binding file: from now on a write to its map is scored.
///
/// Says how many stored rows have no score yet, and names the job that would score them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding apply cluster/screening.binding.toml")]
pub(super) struct Apply {
    /// The binding file (TOML).
    file: PathBuf,
}

impl Apply {
    pub(super) async fn run(self, context: &Context) -> Result {
        let definition = read_text(&self.file)?;
        let (binding, unscored) = context.connect().await?.apply_binding(&definition).await?;
        let job = format!("job score {} --binding {}", binding.map, binding.name);
        let object = json!({
            "binding": binding.name,
            "map": binding.map,
            "model": binding.model,
            "model_version": binding.model_version,
            "unscored": unscored,
            "job": job,
        });
        let text = format!(
            "{} scores {} with {} version {}; stored rows without its score: {unscored}",
            binding.name, binding.map, binding.model, binding.model_version
        );
        context.output.answer(&object, text)?;
        if unscored > 0 {
            context.output.note(format_args!(
                "a row is scored when it is written again; `embergrid {job}` scores all of them"
            ));
        }
        Ok(())
    }
}
