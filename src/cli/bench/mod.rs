//! `embergrid bench`: the load generator.

use std::sync::Arc;

use clap::{Args, Subcommand};

use super::{context::Context, failure::Result, interrupt::Interrupt};
use drive::{Work, drive};
use load::Load;
use report::Report;

mod drive;
mod get;
mod load;
mod plain;
mod report;
mod score;
mod set;

/// Put load on a cluster and measure it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench set --callers 50 --requests 1000000")]
pub(super) struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Set(set::Set),
    Get(get::Get),
    Score(score::Score),
}

impl Bench {
    pub(super) fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Set(command) => context.block_on_threads(command.load.threads()?, command.run(context)),
            Command::Get(command) => context.block_on_threads(command.load.threads()?, command.run(context)),
            Command::Score(command) => {
                context.block_on_threads(command.load.threads()?, command.run(context))
            }
        }
    }
}

/// Runs a load, shows how it goes and prints what it came to.
async fn measure<W: Work>(context: &Context, load: &Load, work: W) -> Result {
    let progress = context.output.progress(Some(load.requests), "rows");
    let measured = drive(Arc::new(work), load, Interrupt::listen()?, &progress).await;
    progress.finish_and_clear();
    if let Some(refusal) = &measured.refusal {
        context
            .output
            .note(format_args!("{} rows were refused, the first: {}", measured.refused, refusal.message));
    }
    let report = Report::new(&measured, load);
    Ok(context.output.answer(&report, &report)?)
}
