//! What a pass over one partition goes by.

use std::sync::Arc;

use crate::{
    binding::Compiled,
    catalog::Job,
    feed::Filter,
    node::{Grid, shared::Shared},
    partition::{JobBatch, MapView, Origin, Outcome, ScoredRow},
    store::Reader,
    types::{Error, PartitionId, Result},
};

use tokio::sync::oneshot;

use crate::node::worker::Message;

/// One job in one partition, under one version of the catalogue.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Arc<Job>,
    pub(super) partition: PartitionId,
    pub(super) map: Arc<MapView>,
    pub(super) binding: Arc<Compiled>,
    pub(super) filter: Filter,
    pub(super) reader: Reader,
}

impl Work {
    /// By the catalogue that this node's partitions have cut over to.
    pub(super) fn prepare(grid: &Grid, job: &Arc<Job>, partition: PartitionId) -> Result<Self> {
        let view = grid.view();
        let behind = || Error::unavailable("this node is yet to learn of the binding");
        let map = view.maps.get(&job.map).ok_or_else(behind)?;
        let binding = map.bindings.iter().find(|bound| bound.id == job.binding).ok_or_else(behind)?;
        let shared = &grid.inner.shared;
        let reader = shared.read(partition, |reader| Ok::<_, Error>(reader.clone()))?;
        Ok(Work {
            shared: shared.clone(),
            job: job.clone(),
            partition,
            map: map.clone(),
            binding: binding.clone(),
            filter: Filter::compile(&map.map, job.condition.as_deref())?,
            reader,
        })
    }

    /// Hands rows to the partition's core.
    pub(super) fn submit(&self, rows: Vec<ScoredRow>) -> oneshot::Receiver<Result<Outcome>> {
        let (origin, answer) = self.shared.connections.call();
        let batch = self.batch(origin, rows);
        self.shared.post(self.partition, Message::Job(self.partition, batch));
        answer
    }

    /// Waits until everything is committed that was prepared in the partition before this call: what is written from
    /// then on is scored under the binding, or one that came later.
    pub(super) async fn settle(&self) -> Result<()> {
        answered(self.submit(Vec::new())).await.map(drop)
    }

    fn batch(&self, origin: Origin, rows: Vec<ScoredRow>) -> JobBatch {
        JobBatch { origin, job: self.job.id, binding: self.binding.id, map: self.map.clone(), rows }
    }
}

/// What became of a batch.
pub(super) async fn answered(answer: oneshot::Receiver<Result<Outcome>>) -> Result<Outcome> {
    answer.await.unwrap_or_else(|_| Err(Error::unavailable("the node is shutting down")))
}
