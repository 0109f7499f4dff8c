//! `embergrid binding list`

use clap::Args;

/// List the bindings.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding list")]
pub(super) struct List {}
