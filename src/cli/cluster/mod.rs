//! `embergrid cluster`: the cluster as a whole.

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result};

mod status;

/// See how the cluster is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster status --partitions")]
pub(super) struct Cluster {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Status),
}

impl Cluster {
    pub(super) async fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Status(command) => command.run(context).await,
        }
    }
}
