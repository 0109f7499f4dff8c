//! `embergrid map get`

use clap::Args;

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
