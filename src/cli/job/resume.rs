//! `embergrid job resume`

use clap::Args;

use super::answer;
use crate::cli::{context::Context, failure::Result};

/// Let a paused job go on; rows that it has scored are passed over.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job resume 1")]
pub(super) struct Resume {
    /// The job's number.
    job: u32,
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> Result {
        let job = context.connect().await?.resume_job(self.job).await?;
        answer(context, &job)
    }
}
