//! `embergrid map size`

use clap::Args;

/// Count a map's rows.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map size screening")]
pub(super) struct Size {
    /// The map's name.
    map: String,
}
