//! `embergrid job score`

use std::time::Duration;

use clap::Args;

use super::answer;
use crate::{
    cli::{context::Context, failure::Result, interrupt::Interrupt},
    client::Client,
    types::{Class, Error},
    wire::v1::JobDescription,
};

/// How often the job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often in a row nobody may answer before the command gives up. The job does not.
const MOST_UNANSWERED: u32 = 150;

/// Score the rows that a map has, at each partition's primary; a row that is written meanwhile keeps its own score.
///
/// The job goes on whatever becomes of this command, and of the nodes: what it has scored is not scored again.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid job score screening --binding screening-malignant --where 'malignant is null'"
)]
pub(super) struct Score {
    /// The map's name.
    map: String,
    /// The binding that the rows are scored under.
    #[arg(long, value_name = "NAME")]
    binding: String,
    /// Only the rows that satisfy a SQL condition.
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    /// Start the job and leave it to itself.
    #[arg(long)]
    detach: bool,
}

impl Score {
    pub(super) async fn run(self, context: &Context) -> Result {
        let interrupt = Interrupt::listen()?;
        let client = context.connect().await?;
        let job = client.start_job(&self.map, &self.binding, self.condition.as_deref()).await?;
        if self.detach {
            leave(context, &job);
            return answer(context, &job);
        }
        let job = follow(context, client, job, interrupt).await?;
        answer(context, &job)?;
        match job.state.as_str() {
            "cancelled" => Err(Error::conflict(format!("job {} was cancelled", job.job)).into()),
            "failed" => Err(Error::conflict(format!(
                "job {} failed: {}",
                job.job,
                job.reason.as_deref().unwrap_or("no reason is known")
            ))
            .into()),
            _ => Ok(()),
        }
    }
}

/// Shows how far the job is, until it is over or the user has seen enough.
async fn follow(
    context: &Context,
    mut client: Client,
    mut job: JobDescription,
    mut interrupt: Interrupt,
) -> Result<JobDescription> {
    let progress = context.output.progress(Some(job.total), "rows");
    let mut unanswered = 0;
    while is_under_way(&job) {
        progress.set_length(job.total);
        progress.set_position(job.done + job.refused);
        progress.set_message(if job.state == "paused" { "paused" } else { "" });
        tokio::select! {
            () = interrupt.wait() => {
                progress.finish_and_clear();
                leave(context, &job);
                return Ok(job);
            }
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match client.job(job.job).await {
            Ok(seen) => (job, unanswered) = (seen, 0),
            Err(error) if may_pass(&error) && unanswered < MOST_UNANSWERED => {
                unanswered += 1;
                // Another node may know.
                if let Ok(other) = context.connect().await {
                    client = other;
                }
            }
            Err(error) => {
                progress.finish_and_clear();
                leave(context, &job);
                return Err(error.into());
            }
        }
    }
    progress.finish_and_clear();
    Ok(job)
}

fn is_under_way(job: &JobDescription) -> bool {
    matches!(job.state.as_str(), "running" | "paused")
}

fn may_pass(error: &Error) -> bool {
    matches!(error.class, Class::Unavailable | Class::Deadline | Class::Overloaded)
}

/// What becomes of the job when nobody watches.
fn leave(context: &Context, job: &JobDescription) {
    let id = job.job;
    context.output.note(format_args!(
        "job {id} goes on by itself; `embergrid job show {id}` shows it, `embergrid job pause {id}` and `embergrid job \
         resume {id}` hold it, `embergrid job cancel {id}` ends it"
    ));
}
