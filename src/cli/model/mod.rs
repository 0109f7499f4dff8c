//! `embergrid model`: trained models.

use clap::{Args, Subcommand};

mod alias;
mod bench;
mod deploy;
mod list;
mod run;
mod show;
mod verify;

/// Deploy, inspect, check and measure trained models.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid model deploy breast-cancer models/breast-cancer/1 --alias champion"
)]
pub(super) struct Model {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Deploy(deploy::Deploy),
    List(list::List),
    Show(show::Show),
    Alias(alias::Alias),
    Verify(verify::Verify),
    Run(run::Run),
    Bench(bench::Bench),
}
