//! `embergrid model`: trained models.

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result};
use crate::wire::v1::ModelDescription;

mod alias;
mod bench;
mod contents;
mod deploy;
mod input;
mod list;
mod local;
mod measure;
mod package;
mod repeat;
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

impl Model {
    pub(super) fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Deploy(command) => context.block_on(command.run(context)),
            Command::List(command) => context.block_on(command.run(context)),
            Command::Show(command) => match command.file() {
                Some(file) => contents::show(file, context),
                None => context.block_on(command.run(context)),
            },
            Command::Alias(command) => context.block_on(command.run(context)),
            Command::Verify(command) => command.run(context),
            Command::Run(command) => command.run(context),
            Command::Bench(command) => command.run(context),
        }
    }
}

/// A model's aliases, each with the version that it names.
fn aliases(model: &ModelDescription) -> Vec<String> {
    let mut aliases: Vec<String> =
        model.aliases.iter().map(|(alias, version)| format!("{alias} = {version}")).collect();
    aliases.sort();
    aliases
}
