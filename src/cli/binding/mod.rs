//! `embergrid binding`: which model scores which map.

use clap::{Args, Subcommand};

mod apply;
mod delete;
mod list;

/// Bind models to maps: when a row is written, it is scored.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid binding apply cluster/screening.binding.toml")]
pub(super) struct Binding {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Apply(apply::Apply),
    List(list::List),
    Delete(delete::Delete),
}
