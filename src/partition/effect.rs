//! What a core decides.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Entry, Frame, MapView, Origin, Proposal, Request};
use crate::{
    binding::Compiled,
    catalog::Replica,
    store::Record,
    types::{Epoch, Error, Generation, JoinId, Key, NodeId, PartitionId, Position, RowVersion},
};

/// Something to be done for the core.
#[derive(Debug)]
pub enum Effect {
    /// Compute scores and hand them back as [`super::Input::Scored`]. The answer may be late or missing.
    Score(ScoreTask),
    /// Answer a request.
    Reply {
        /// Where the answer goes.
        origin: Origin,
        /// The answer.
        answer: Result<Outcome, Error>,
    },
    /// Hand a request, on which nothing was decided, to the node to which the primary's role was handed, under its id; its
    /// answer goes to its origin. Whoever cannot may refuse it as one for another primary.
    Forward {
        /// The node of the new primary.
        to: NodeId,
        /// The request as it came.
        request: Request,
    },
    /// An entry is committed and applied here, whatever the replica's role. Entries come in order, each once.
    Publish(Arc<Entry>),
    /// Tell another replica. Frames may be lost.
    Send {
        /// Whom.
        to: Replica,
        /// What.
        frame: Frame,
    },
    /// Ask the control group for a change of the configuration, as a compare-and-set on the epoch. If the proposal
    /// is lost, it is made again.
    Propose {
        /// The partition.
        partition: PartitionId,
        /// The generation that it is about.
        generation: Generation,
        /// The epoch that it is about.
        epoch: Epoch,
        /// The change.
        change: Proposal,
    },
    /// Tell the operator: replicas hold different rows, and nobody can say which are right.
    Differ(Difference),
}

/// What the rows of a partition come to where its replicas hold different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The partition.
    pub partition: PartitionId,
    /// As of this entry.
    pub at: Position,
    /// The primary's rows.
    pub checksum: u64,
    /// Those of the other replicas in sync.
    pub others: Vec<(JoinId, u64)>,
}

/// One row to be scored under one binding.
#[derive(Clone, Debug)]
pub struct ScoreTask {
    /// Comes back with the scores.
    pub ticket: Ticket,
    /// What to compute.
    pub binding: Arc<Compiled>,
    /// The row's map. Its current schema is the one that the binding was compiled for.
    pub map: Arc<MapView>,
    /// The row's key.
    pub key: Key,
    /// The packed row.
    pub row: Bytes,
}

/// Names one score asked for. The epoch and the nonce fence answers to questions that no longer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The epoch in which it was asked.
    pub epoch: Epoch,
    /// Counts the questions of one core.
    pub nonce: u64,
}

/// What became of a request that was not refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// False: the condition was not met, nothing changed.
    pub applied: bool,
    /// The version of the row as it is now; none if there is none.
    pub version: Option<RowVersion>,
    /// The row as it was, if that was asked for and there was one.
    pub old: Option<Record>,
    /// The row as committed, with its scores and their lineage. Present where it holds what the client did not send:
    /// in a map with bindings, and after an update.
    pub record: Option<Record>,
}
