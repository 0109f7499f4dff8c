//! `embergrid map remove`

use clap::Args;

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
