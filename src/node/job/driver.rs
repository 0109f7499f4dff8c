//! Which partitions of which jobs are worked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::{pass::pass, reports::Reports};
use crate::{
    catalog::{Catalogue, Job, JobPart},
    node::Grid,
    types::{JobId, NodeId, PartitionId, Result},
};

/// When a partition is tried again that could not be looked through.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// A job in a partition.
type Part = (JobId, PartitionId);

/// Works at jobs for as long as the node runs.
pub(in crate::node) async fn run(grid: Grid) {
    let mut catalogue = grid.inner.catalogue.clone();
    let reports = Arc::new(Reports::default());
    let mut driver = Driver::new(grid.clone(), reports.clone());
    let reporting = reports.keep_reporting(&grid);
    let driving = async {
        loop {
            let latest = catalogue.borrow_and_update().clone();
            driver.follow(&latest);
            tokio::select! {
                changed = catalogue.changed() => if changed.is_err() { return },
                Some(ended) = driver.passes.join_next_with_id(), if !driver.passes.is_empty() => driver.ended(ended),
                () = tokio::time::sleep(RETRY_AFTER), if !driver.resting.is_empty() => driver.resting.clear(),
            }
        }
    };
    tokio::select! {
        () = reporting => {}
        () = driving => {}
    }
}

struct Driver {
    grid: Grid,
    reports: Arc<Reports>,
    passes: JoinSet<Result<JobPart>>,
    running: BTreeMap<Part, AbortHandle>,
    /// What could not be looked through a moment ago.
    resting: BTreeSet<Part>,
    most: usize,
}

impl Driver {
    fn new(grid: Grid, reports: Arc<Reports>) -> Self {
        // While a partition waits for its backups, the pool scores the rows of another.
        let most = grid.inner.shared.pool.threads() + 1;
        let (passes, running, resting) = (JoinSet::new(), BTreeMap::new(), BTreeSet::new());
        Driver { grid, reports, passes, running, resting, most }
    }

    /// Lets what is no longer to be done, and begins what is.
    fn follow(&mut self, catalogue: &Catalogue) {
        self.reports.settle(catalogue);
        let me = self.grid.me();
        let is_open = |(job, partition): &Part| {
            catalogue.job(*job).is_ok_and(|job| job.is_open(*partition)) && is_at(me, catalogue, *partition)
        };
        self.running.retain(|part, pass| {
            let stays = is_open(part);
            if !stays {
                pass.abort();
            }
            stays
        });
        let mut open = catalogue.jobs().filter(|job| !job.state.is_over()).flat_map(|job| {
            let partitions = (0..catalogue.partition_count).map(PartitionId);
            partitions.map(move |partition| (job, partition))
        });
        while self.running.len() < self.most
            && let Some((job, partition)) =
                open.find(|(job, partition)| self.is_to_begin(catalogue, job, *partition))
        {
            let pass = self.passes.spawn(pass(self.grid.clone(), job.clone(), partition));
            self.running.insert((job.id, partition), pass);
        }
        if self.running.is_empty() {
            self.reports.hurry();
        }
    }

    fn is_to_begin(&self, catalogue: &Catalogue, job: &Job, partition: PartitionId) -> bool {
        let part = (job.id, partition);
        job.is_open(partition)
            && is_at(self.grid.me(), catalogue, partition)
            && !self.running.contains_key(&part)
            && !self.resting.contains(&part)
            && !self.reports.has(job.id, partition)
    }

    fn ended(&mut self, ended: std::result::Result<(tokio::task::Id, Result<JobPart>), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let part = self.running.iter().find(|(_, pass)| pass.id() == id).map(|(part, _)| *part);
        // One that was let go is not missed.
        let Some((job, partition)) = part else { return };
        self.running.remove(&(job, partition));
        match ended {
            Ok((_, Ok(part))) => self.reports.add(job, part),
            Ok((_, Err(error))) => {
                tracing::debug!(%job, %partition, %error, "a partition is looked through again");
                self.resting.insert((job, partition));
            }
            Err(error) => {
                tracing::error!(%job, %partition, %error, "a pass ended badly");
                self.resting.insert((job, partition));
            }
        }
    }
}

/// Whether the node is the partition's primary by this catalogue. Others may take a moment to follow it: a pass that
/// comes too early is begun again.
fn is_at(node: NodeId, catalogue: &Catalogue, partition: PartitionId) -> bool {
    catalogue.configuration(partition).and_then(|held| held.primary_node()) == Some(node)
}
