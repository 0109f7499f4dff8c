//! Jobs: long computations that the cluster runs by itself.

use super::{Client, channel};
use crate::{types::Result, wire::v1};

impl Client {
    /// Begins to score the rows that a map has under a binding: those that satisfy the condition, or all.
    pub async fn start_job(
        &self,
        map: &str,
        binding: &str,
        condition: Option<&str>,
    ) -> Result<v1::JobDescription> {
        let request = v1::StartJobRequest {
            map: map.to_string(),
            binding: binding.to_string(),
            r#where: condition.map(ToString::to_string),
        };
        self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).start_job(request).await }
        })
        .await
    }

    /// The jobs that the cluster remembers, oldest first.
    pub async fn jobs(&self) -> Result<Vec<v1::JobDescription>> {
        let listed = self
            .ask(|channel| async move { channel::admin(channel).list_jobs(v1::ListJobsRequest {}).await });
        Ok(listed.await?.jobs)
    }

    /// How a job stands.
    pub async fn job(&self, job: u32) -> Result<v1::JobDescription> {
        self.ask(|channel| async move {
            channel::admin(channel).describe_job(v1::DescribeJobRequest { job }).await
        })
        .await
    }

    /// Lets a job rest.
    pub async fn pause_job(&self, job: u32) -> Result<v1::JobDescription> {
        self.tell(
            |channel| async move { channel::admin(channel).pause_job(v1::PauseJobRequest { job }).await },
        )
        .await
    }

    /// Lets a paused job go on.
    pub async fn resume_job(&self, job: u32) -> Result<v1::JobDescription> {
        self.tell(
            |channel| async move { channel::admin(channel).resume_job(v1::ResumeJobRequest { job }).await },
        )
        .await
    }

    /// Ends a job; the scores that it stored stay.
    pub async fn cancel_job(&self, job: u32) -> Result<v1::JobDescription> {
        self.tell(
            |channel| async move { channel::admin(channel).cancel_job(v1::CancelJobRequest { job }).await },
        )
        .await
    }
}
