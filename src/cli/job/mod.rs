//! `embergrid job`: long computations over a map, run where its rows are.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{context::Context, failure::Result};
use crate::wire::v1::JobDescription;

mod cancel;
mod list;
mod pause;
mod resume;
mod score;
mod show;

/// Score the rows that are stored, and follow the jobs that do.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job score screening --binding screening-malignant")]
pub(super) struct Job {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Score(score::Score),
    List(list::List),
    Show(show::Show),
    Pause(pause::Pause),
    Resume(resume::Resume),
    Cancel(cancel::Cancel),
}

impl Job {
    pub(super) async fn run(self, context: &Context) -> Result {
        match self.command {
            Command::Score(command) => command.run(context).await,
            Command::List(command) => command.run(context).await,
            Command::Show(command) => command.run(context).await,
            Command::Pause(command) => command.run(context).await,
            Command::Resume(command) => command.run(context).await,
            Command::Cancel(command) => command.run(context).await,
        }
    }
}

/// A job as JSON.
fn object(job: &JobDescription) -> Value {
    json!({
        "job": job.job,
        "map": job.map,
        "binding": job.binding,
        "where": job.r#where,
        "state": job.state,
        "total": job.total,
        "done": job.done,
        "refused": job.refused,
        "seconds": job.seconds,
        "reason": job.reason,
        "refusal": job.refusal,
    })
}

/// A job in a sentence.
fn text(job: &JobDescription) -> String {
    let condition = job.r#where.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
    let reason = job.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!(
        "job {} scores {} under {}{condition}: {}{reason}, {} of {} rows scored, {} refused, in {} s",
        job.job, job.map, job.binding, job.state, job.done, job.total, job.refused, job.seconds
    )
}

/// Prints a job; what a person should know beside it goes to stderr.
fn answer(context: &Context, job: &JobDescription) -> Result {
    context.output.answer(&object(job), text(job))?;
    if let Some(refusal) = &job.refusal {
        context.output.note(format_args!("rows were refused, the first with: {refusal}"));
    }
    Ok(())
}
