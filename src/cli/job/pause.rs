//! `embergrid job pause`

use clap::Args;

use super::answer;
use crate::cli::{context::Context, failure::Result};

/// Let a job rest until it is resumed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job pause 1")]
pub(super) struct Pause {
    /// The job's number.
    job: u32,
}

impl Pause {
    pub(super) async fn run(self, context: &Context) -> Result {
        let job = context.connect().await?.pause_job(self.job).await?;
        answer(context, &job)
    }
}
