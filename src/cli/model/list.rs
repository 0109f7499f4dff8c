//! `embergrid model list`

use clap::Args;

/// List the models with their versions and aliases.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model list")]
pub(super) struct List {}
