//! `embergrid binding apply`

use std::path::PathBuf;

use clap::Args;

/// Apply a binding file: from now on a write to its map is scored.
///
/// Says how many stored rows have no score yet, and names the job that would score them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding apply cluster/screening.binding.toml")]
pub(super) struct Apply {
    /// The binding file (TOML).
    file: PathBuf,
}
