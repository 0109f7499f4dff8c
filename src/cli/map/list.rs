//! `embergrid map list`

use clap::Args;

/// List the maps with their kind and size.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map list")]
pub(super) struct List {}
