//! The command line: one file a subcommand.
//!
//! stdout is data; progress, hints and logs go to stderr. A command returns what it prints through [`Output`] and
//! how it failed as a [`Failure`], which decides the exit code.

mod bench;
mod binding;
mod clock;
mod cluster;
mod context;
mod demo;
mod execute;
mod failure;
mod health;
mod init;
mod interrupt;
mod job;
mod map;
mod model;
mod node;
mod output;
mod patient;
pub mod payments;
mod rows;
mod running;
mod shape;
mod subscribe;
mod table;
mod usage;

use std::{ffi::OsString, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use context::Context;
use failure::Result;
use output::Output;
pub use usage::Usage;

/// An in-memory data grid that scores: put a row, get its score back in the reply.
#[derive(Debug, Parser)]
#[command(
    name = "embergrid",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example:\n  embergrid demo --seconds 10"
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Print JSON: one object, or one a line for streams; errors too, on stderr.
    #[arg(long, global = true)]
    json: bool,
    /// The cluster's client addresses; the first that answers is used.
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT,..",
        env = "EMBERGRID_ADDR",
        hide_env_values = true,
        value_delimiter = ',',
        default_value = "127.0.0.1:7700"
    )]
    addr: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Node(node::Node),
    Init(init::Init),
    Map(map::Map),
    Model(model::Model),
    Binding(binding::Binding),
    Job(job::Job),
    Subscribe(subscribe::Subscribe),
    Execute(execute::Execute),
    Cluster(cluster::Cluster),
    Health(health::Health),
    Bench(bench::Bench),
}

impl Cli {
    /// Parses the arguments of one invocation, the program's name first.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> std::result::Result<Self, Usage> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        Self::try_parse_from(&arguments).map_err(|error| Usage::new(error, &arguments))
    }

    /// Runs the command to its end and reports how it went.
    pub fn run(self) -> ExitCode {
        let output = Output::new(self.global.json);
        let context = Context::new(output, self.global.addr);
        match self.command.run(&context) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(output),
        }
    }
}

impl Command {
    fn run(self, context: &Context) -> Result {
        match self {
            Command::Demo(command) => command.run(context),
            Command::Node(command) => command.run(context),
            Command::Map(command) => context.block_on(command.run(context)),
            Command::Binding(command) => context.block_on(command.run(context)),
            Command::Job(command) => context.block_on(command.run(context)),
            Command::Subscribe(command) => context.block_on(command.run(context)),
            Command::Execute(command) => context.block_on(command.run(context)),
            Command::Cluster(command) => context.block_on(command.run(context)),
            Command::Health(command) => context.block_on(command.run(context)),
            Command::Bench(command) => command.run(context),
            Command::Model(command) => command.run(context),
            Command::Init(command) => command.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Calls `check` with every command and its full name, the groups included.
    fn for_each(command: &clap::Command, name: &str, check: &mut dyn FnMut(&clap::Command, &str)) {
        check(command, name);
        for sub in command.get_subcommands() {
            for_each(sub, &format!("{name} {}", sub.get_name()), check);
        }
    }

    /// Splits a command line as a shell would, as far as the examples need it.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (quote, c) {
                (None, ' ') => words.push(String::new()),
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => words.last_mut().expect("never empty").push(c),
            }
        }
        words
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_ends_with_an_example_that_parses() {
        for_each(&Cli::command(), "embergrid", &mut |command, name| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.strip_prefix("Example:\n  ").unwrap_or_else(|| panic!("{name}: no example"));
            assert!(
                name == "embergrid" || example.starts_with(&format!("{name} ")) || example == name,
                "{name}: the example is {example}"
            );
            let parsed = Cli::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{name}: {}", parsed.unwrap_err());
        });
    }
}
