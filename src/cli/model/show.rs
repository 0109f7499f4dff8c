//! `embergrid model show`

use clap::Args;

/// Show a model's versions, aliases, inputs and outputs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model show breast-cancer")]
pub(super) struct Show {
    /// The model's name.
    name: String,
}
