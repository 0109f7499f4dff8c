//! The answers that nodes owe: to clients on their streams, and to each other for what was passed on.

use std::collections::BTreeMap;

use embergrid::types::{NodeId, PartitionId, RequestId};

use super::draft::{Reply, Sent};
use super::stream::StreamId;

/// Where an answer goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Creditor {
    Stream(StreamId),
    /// A batch that another node passed on.
    Batch(u64),
    /// Another node, which owes it under this number.
    Forwarder(NodeId, u64),
}

/// One answer that a node owes.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) node: NodeId,
    pub(crate) to: Creditor,
    pub(crate) tag: u32,
    pub(crate) call: u32,
    pub(crate) about: Option<(PartitionId, RequestId)>,
}

/// A batch, at the node that passed it on.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) stream: StreamId,
    /// Whose answers are owed.
    pub(crate) ops: Vec<Sent>,
}

/// A batch, at the node that carries it out.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) node: NodeId,
    pub(crate) from: NodeId,
    /// Answers that have yet to come.
    pub(crate) left: usize,
    pub(crate) replies: Vec<Reply>,
}

/// All that is owed.
#[derive(Default)]
pub(crate) struct Owing {
    answers: BTreeMap<u64, Owed>,
    pub(crate) passed: BTreeMap<u64, Passed>,
    pub(crate) taken: BTreeMap<u64, Taken>,
    last: u64,
}

impl Owing {
    /// A number that nothing has.
    pub(crate) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// An answer is owed; under which number.
    pub(crate) fn owe(&mut self, owed: Owed) -> u64 {
        let slot = self.next();
        self.answers.insert(slot, owed);
        slot
    }

    pub(crate) fn find(&self, slot: u64) -> Option<&Owed> {
        self.answers.get(&slot)
    }

    pub(crate) fn pay(&mut self, slot: u64) -> Option<Owed> {
        self.answers.remove(&slot)
    }

    /// A node is gone with all that it owed.
    pub(crate) fn forgive(&mut self, node: NodeId) {
        self.answers.retain(|_, owed| owed.node != node);
        self.passed.retain(|_, passed| passed.from != node);
        self.taken.retain(|_, taken| taken.node != node);
    }
}
