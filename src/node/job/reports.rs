//! What is finished here and the control group does not know yet.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    catalog::{Catalogue, Command, JobPart},
    node::Grid,
    types::{JobId, PartitionId},
};

/// Partitions finished within so long are reported together.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Finished partitions, until the catalogue shows them as such.
#[derive(Debug, Default)]
pub(super) struct Reports {
    waiting: Mutex<BTreeMap<JobId, BTreeMap<PartitionId, JobPart>>>,
    news: Notify,
    hurry: Notify,
}

impl Reports {
    /// A partition is finished.
    pub(super) fn add(&self, job: JobId, part: JobPart) {
        self.waiting.lock().entry(job).or_default().insert(part.partition, part);
        self.news.notify_one();
    }

    /// Whether a partition is finished, though the catalogue may not say so yet.
    pub(super) fn has(&self, job: JobId, partition: PartitionId) -> bool {
        self.waiting.lock().get(&job).is_some_and(|parts| parts.contains_key(&partition))
    }

    /// Nothing more is to come for now: what waits need wait no longer.
    pub(super) fn hurry(&self) {
        self.hurry.notify_one();
    }

    /// Forgets what the catalogue knows, or has no use for.
    pub(super) fn settle(&self, catalogue: &Catalogue) {
        let mut waiting = self.waiting.lock();
        waiting.retain(|job, parts| {
            let Some(job) = catalogue.job(*job).ok().filter(|job| !job.state.is_over()) else { return false };
            parts.retain(|partition, _| !job.is_finished(*partition));
            !parts.is_empty()
        });
    }

    fn commands(&self, grid: &Grid) -> Vec<Command> {
        let at = grid.time_of_day();
        let waiting = self.waiting.lock();
        let command = |(job, parts): (&JobId, &BTreeMap<PartitionId, JobPart>)| {
            // One explanation is kept of a job.
            let mut refusal = parts.values().find_map(|part| part.refusal.clone());
            let part = |part: &JobPart| JobPart { refusal: refusal.take(), ..*part };
            Command::JobProgress { job: *job, finished: parts.values().map(part).collect(), at }
        };
        waiting.iter().map(command).collect()
    }

    /// Reports for as long as the node runs.
    pub(super) async fn keep_reporting(&self, grid: &Grid) {
        loop {
            self.news.notified().await;
            tokio::select! {
                () = tokio::time::sleep(REPORT_EVERY) => {}
                () = self.hurry.notified() => {}
            }
            while let Err(error) = self.report(grid).await {
                tracing::warn!(%error, "the progress of a job was not reported");
                tokio::time::sleep(REPORT_EVERY).await;
            }
        }
    }

    /// A report that was taken may be made again: a partition counts once.
    async fn report(&self, grid: &Grid) -> crate::types::Result<()> {
        self.settle(&grid.catalogue());
        for command in self.commands(grid) {
            grid.inner.control.propose(command).await?;
        }
        self.settle(&grid.catalogue());
        Ok(())
    }
}
