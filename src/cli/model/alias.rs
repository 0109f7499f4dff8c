//! `embergrid model alias`

use clap::Args;

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
