//! `embergrid map put`

use clap::Args;

/// Put one row; prints its version, the old row and the scores.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map put profiles c-17 '{\"name\": \"Ada\", \"limit\": 500.0}'")]
pub(super) struct Put {
    /// The map's name.
    map: String,
    /// The row's key.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The row as a JSON object; for a plain map, the value as it is.
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    row: String,
    /// Keep the row in the partition of this affinity; it is part of the key.
    #[arg(long)]
    affinity: Option<String>,
}
