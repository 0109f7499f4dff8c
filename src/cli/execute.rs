//! `embergrid execute`

use clap::Args;

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
