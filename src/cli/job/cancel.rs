//! `embergrid job cancel`

use clap::Args;

use super::answer;
use crate::cli::{context::Context, failure::Result};

/// End a job; the scores that it stored stay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job cancel 1")]
pub(super) struct Cancel {
    /// The job's number.
    job: u32,
}

impl Cancel {
    pub(super) async fn run(self, context: &Context) -> Result {
        let job = context.connect().await?.cancel_job(self.job).await?;
        answer(context, &job)
    }
}
