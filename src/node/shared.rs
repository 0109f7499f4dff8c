//! What all parts of a node see.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
};

use super::{
    clock::Clock,
    combiner::{Combiner, Drained},
    connection::Connections,
    pool::Pool,
    primaries::Primaries,
    proposals::Proposed,
    subscription::Subscribers,
    worker::{Message, Worker},
};
use crate::{
    binding::Scores,
    feed::TokenKey,
    net::Net,
    partition::{Limits, Timing},
    scoring::{Batch, Models},
    store::Reader,
    telemetry::Metrics,
    types::{CatalogueVersion, Error, NodeId, PartitionId, Result},
};

/// What a worker tells of itself.
#[derive(Debug)]
pub(super) struct WorkerStatus {
    /// The catalogue version that all its partitions have cut over to.
    pub(super) adopted: AtomicU64,
    /// When it has to be woken, on the node's clock.
    pub(super) deadline_us: AtomicU64,
}

impl Default for WorkerStatus {
    fn default() -> Self {
        WorkerStatus { adopted: AtomicU64::new(0), deadline_us: AtomicU64::new(u64::MAX) }
    }
}

/// What all parts of a node see.
pub(super) struct Shared {
    pub(super) me: NodeId,
    pub(super) cluster: u64,
    /// None for a node that is alone.
    pub(super) net: Option<Net>,
    /// What one replica may hold.
    pub(super) limits: Limits,
    /// How long things take between replicas.
    pub(super) timing: Timing,
    pub(super) clock: Clock,
    pub(super) runtime: Handle,
    pub(super) connections: Connections,
    pub(super) subscribers: Subscribers,
    pub(super) models: Models,
    pub(super) metrics: Arc<Metrics>,
    pub(super) pool: Pool,
    pub(super) inline_us: u64,
    pub(super) token_key: TokenKey,
    /// By worker.
    pub(super) status: Vec<WorkerStatus>,
    /// A worker has cut over.
    pub(super) adopted: Notify,
    /// Where each partition's primary is.
    pub(super) primaries: ArcSwap<Primaries>,
    /// By partition; none where this node is not the primary.
    pub(super) readers: Vec<ArcSwapOption<Reader>>,
    /// What the primaries of this node ask the control group for.
    pub(super) proposals: mpsc::UnboundedSender<Proposed>,
    /// Set once, as soon as the workers stand: they hold this structure themselves.
    pub(super) workers: OnceLock<Vec<Combiner<Worker>>>,
}

impl Shared {
    /// Hands a message to the worker of a partition.
    pub(super) fn post(self: &Arc<Self>, partition: PartitionId, message: Message) {
        self.post_to(self.worker_of(partition), message);
    }

    /// Hands a message to a worker.
    pub(super) fn post_to(self: &Arc<Self>, number: usize, message: Message) {
        if let Some(worker) = self.worker(number)
            && worker.post(message) == Drained::Relieve
        {
            self.relieve(number);
        }
    }

    /// Hands messages to a worker, leaving the vector empty.
    pub(super) fn post_all(self: &Arc<Self>, number: usize, messages: &mut Vec<Message>) {
        if let Some(worker) = self.worker(number)
            && worker.post_all(messages) == Drained::Relieve
        {
            self.relieve(number);
        }
    }

    /// Hands a message to every worker.
    pub(super) fn broadcast(self: &Arc<Self>, message: impl Fn() -> Message) {
        for number in 0..self.status.len() {
            self.post_to(number, message());
        }
    }

    /// Reads from the partition, if this node is its primary.
    pub(super) fn read<T, E: Into<Error>>(
        &self,
        partition: PartitionId,
        read: impl FnOnce(&Reader) -> std::result::Result<T, E>,
    ) -> Result<T> {
        let reader = self.readers.get(usize::from(partition.0)).map(ArcSwapOption::load);
        match reader.as_deref() {
            Some(Some(reader)) => read(reader).map_err(Into::into),
            _ => Err(Primaries::elsewhere(partition, self.primaries.load().node(partition))),
        }
    }

    /// Lets the partition be read through this reader from now on.
    pub(super) fn publish_reader(&self, partition: PartitionId, reader: Option<Arc<Reader>>) {
        if let Some(place) = self.readers.get(usize::from(partition.0)) {
            place.store(reader);
        }
    }

    /// Has a change of a configuration proposed.
    pub(super) fn propose(&self, proposed: Proposed) {
        // Whoever proposes ends with the node.
        let _ = self.proposals.send(proposed);
    }

    /// Which worker has the partition.
    pub(super) fn worker_of(&self, partition: PartitionId) -> usize {
        usize::from(partition.0) % self.status.len()
    }

    fn worker(&self, number: usize) -> Option<&Combiner<Worker>> {
        self.workers.get()?.get(number)
    }

    /// Lets another task go on with a worker's mailbox.
    fn relieve(self: &Arc<Self>, number: usize) {
        let shared = self.clone();
        self.runtime.spawn(async move {
            while let Some(worker) = shared.worker(number)
                && worker.drain() == Drained::Relieve
            {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Runs a batch and measures it.
    pub(super) fn run_batch<T>(&self, batch: Batch<T>) -> Vec<(T, Result<Scores>)> {
        let (model, rows) = (batch.model().clone(), batch.rows());
        let start = self.clock.mono_us();
        let scores = batch.run();
        model.observe(rows, self.clock.mono_us().saturating_sub(start));
        scores
    }

    /// Waits until every worker's partitions have cut over to the catalogue version.
    pub(super) async fn adopted(&self, version: CatalogueVersion) {
        loop {
            let notified = self.adopted.notified();
            let behind = |status: &WorkerStatus| status.adopted.load(Ordering::Acquire) < version.0;
            if !self.status.iter().any(behind) {
                return;
            }
            // A worker's last notice may have come before this task listened.
            let _ = tokio::time::timeout(Duration::from_millis(20), notified).await;
        }
    }
}
