//! What users ask of jobs.

use crate::{
    catalog::{Command, Response},
    feed::Filter,
    node::Grid,
    types::{Error, JobId, Result, Timestamp},
};

impl Grid {
    /// Begins to score the stored rows of a map, `rows` of them, that satisfy the condition.
    pub async fn start_job(
        &self,
        map: &str,
        binding: &str,
        condition: Option<&str>,
        rows: u64,
    ) -> Result<JobId> {
        let catalogue = self.catalogue();
        Filter::compile(catalogue.map(map)?, condition)?;
        let command = Command::StartJob {
            map: map.to_owned(),
            binding: binding.to_owned(),
            condition: condition.map(str::to_owned),
            rows,
            at: self.time_of_day(),
        };
        match self.propose(command).await? {
            Response::Job { id, .. } => Ok(id),
            other => Err(Error::internal(format!("the control group started something else: {other:?}"))),
        }
    }

    /// Lets a job rest.
    pub async fn pause_job(&self, job: JobId) -> Result<()> {
        self.propose(Command::PauseJob { job, at: self.time_of_day() }).await.map(drop)
    }

    /// Lets a paused job go on.
    pub async fn resume_job(&self, job: JobId) -> Result<()> {
        self.propose(Command::ResumeJob { job, at: self.time_of_day() }).await.map(drop)
    }

    /// Ends a job; what it scored stays.
    pub async fn cancel_job(&self, job: JobId) -> Result<()> {
        self.propose(Command::CancelJob { job, at: self.time_of_day() }).await.map(drop)
    }

    /// What the node's clock says.
    pub fn time_of_day(&self) -> Timestamp {
        self.inner.shared.clock.now().wall
    }
}
