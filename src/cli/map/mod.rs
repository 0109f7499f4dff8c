//! `embergrid map`: maps and what is in them.

use clap::{Args, Subcommand};

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
