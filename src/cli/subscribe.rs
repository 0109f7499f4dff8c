//! `embergrid subscribe`

use clap::Args;

/// Print a map's rows that match, then every change, one a line, in order and with no gap.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid subscribe screening --where \"malignant > 0.9\"")]
pub(super) struct Subscribe {
    /// The map's name.
    map: String,
    /// An SQL condition over the columns and `__key`; without it, every row.
    #[arg(long = "where", value_name = "EXPR")]
    predicate: Option<String>,
    /// Resume after this token, printed with every event.
    #[arg(long, value_name = "TOKEN")]
    from: Option<String>,
    /// Only changes from now on, no snapshot first.
    #[arg(long, conflicts_with = "from")]
    no_snapshot: bool,
    /// Stop after this many events.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Stop after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,
}
