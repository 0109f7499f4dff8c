//! `embergrid map drop`

use clap::Args;

/// Drop a map and every row in it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map drop screening")]
pub(super) struct Drop {
    /// The map's name.
    map: String,
}
