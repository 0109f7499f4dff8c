//! `embergrid map`: maps and what is in them.

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result};

mod create;
mod drop;
mod get;
mod list;
mod load;
mod put;
mod query;
mod remove;
mod size;

/// Create maps, put rows, read, load and query them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map create screening --schema cluster/screening.schema.toml")]
pub(super) struct Map {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    List(list::List),
    Drop(drop::Drop),
    Size(size::Size),
    Put(put::Put),
    Get(get::Get),
    Remove(remove::Remove),
    Load(load::Load),
    Query(query::Query),
}

impl Map {
    pub(super) async fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Create(command) => command.run(context).await,
            Command::List(command) => command.run(context).await,
            Command::Drop(command) => command.run(context).await,
            Command::Size(command) => command.run(context).await,
            Command::Put(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
            Command::Remove(command) => command.run(context).await,
            Command::Load(command) => command.run(context).await,
            Command::Query(command) => command.run(context).await,
        }
    }
}
