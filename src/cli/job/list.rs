//! `embergrid job list`

use clap::Args;

use serde_json::{Value, json};

use super::object;
use crate::cli::{context::Context, failure::Result, table::Table};

/// List the jobs, oldest first; those that are long over are forgotten.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid job list")]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result {
        let mut table =
            Table::new(["JOB", "MAP", "BINDING", "WHERE", "STATE", "DONE", "TOTAL", "REFUSED", "SECONDS"]);
        let mut jobs: Vec<Value> = Vec::new();
        for job in context.connect().await?.jobs().await? {
            jobs.push(object(&job));
            table.row([
                job.job.to_string(),
                job.map,
                job.binding,
                job.r#where.unwrap_or_default(),
                job.state,
                job.done.to_string(),
                job.total.to_string(),
                job.refused.to_string(),
                job.seconds.to_string(),
            ]);
        }
        Ok(context.output.answer(&json!({ "jobs": jobs }), table)?)
    }
}
