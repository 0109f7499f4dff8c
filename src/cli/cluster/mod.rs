//! `embergrid cluster`: the cluster as a whole.

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result};

mod drain;
mod reset_lost;
mod status;

/// See how the cluster is, and set right what only you can.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster status --partitions")]
pub(super) struct Cluster {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Status),
    Drain(drain::Drain),
    ResetLost(reset_lost::ResetLost),
}

impl Cluster {
    pub(super) async fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Status(command) => command.run(context).await,
            Command::Drain(command) => command.run(context).await,
            Command::ResetLost(command) => command.run(context).await,
        }
    }
}
