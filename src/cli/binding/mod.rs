//! `embergrid binding`: which model scores which map.

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result};

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

impl Binding {
    pub(super) async fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Apply(command) => command.run(context).await,
            Command::List(command) => command.run(context).await,
            Command::Delete(command) => command.run(context).await,
        }
    }
}
