//! `embergrid job show`

use clap::Args;

use super::answer;
use crate::cli::{context::Context, failure::Result};

/// Show how a job stands.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job show 1")]
pub(super) struct Show {
    /// The job's number.
    job: u32,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result {
        let job = context.connect().await?.job(self.job).await?;
        answer(context, &job)
    }
}
