//! `embergrid map query`

use clap::Args;

/// Print the rows that match a predicate, one a line.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map query screening --where \"malignant > 0.9\" --limit 5")]
pub(super) struct Query {
    /// The map's name.
    map: String,
    /// An SQL condition over the columns and `__key`.
    #[arg(long = "where", value_name = "EXPR")]
    predicate: String,
    /// Stop after this many rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}
