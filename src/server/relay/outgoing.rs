//! What one session passes on to other nodes.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use slab::Slab;

use super::{BATCH_BYTES, Operations, WITHIN};
use crate::{
    net::Raw,
    node::Grid,
    server::{ask::ask, desk::Desk},
    types::{Class, Error, NodeId, Result, SessionId},
    wire::{Element, Elements, OpRef, Packed, TAG},
};

/// How many batches of one session may be on their way to one node. What comes meanwhile gathers in the next.
const CALLS: usize = 4;
/// The field `deadline_ms` of an operation.
const DEADLINE: u32 = 5;
/// The field of replies in a frame.
const REPLIES: u32 = 2;

/// The operations of a session that other nodes carry out.
///
/// A session's operations for one node leave in their order, but the node may begin with a later batch: request numbers
/// make that safe, and whoever needs one write before another waits for its answer.
pub(in crate::server) struct Relays {
    grid: Grid,
    session: SessionId,
    lines: BTreeMap<NodeId, Line>,
    /// Operations that are not answered, waiting ones included.
    under_way: Slab<Passed>,
    /// Their bytes.
    bytes: usize,
    /// Polled by the session's own task: it moves only while the client takes its replies.
    calls: Vec<Pin<Box<dyn Future<Output = Returned> + Send>>>,
    /// Counts batches.
    last: u64,
}

/// What is on its way to one node.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Batch>,
    calls: usize,
}

/// Operations that leave together.
struct Batch {
    number: u64,
    since_us: u64,
    ops: Packed<3>,
    slots: Vec<usize>,
}

/// An operation whose answer is owed.
struct Passed {
    /// The client's.
    tag: u32,
    bytes: usize,
    batch: u64,
}

/// A batch that has come back, or is lost.
struct Returned {
    from: NodeId,
    number: u64,
    slots: Vec<usize>,
    replies: Result<Raw>,
}

impl Batch {
    fn new(number: u64, since_us: u64) -> Self {
        Batch { number, since_us, ops: Packed::default(), slots: Vec::new() }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.ops.is_empty() || self.ops.len() + bytes <= BATCH_BYTES
    }

    fn push(&mut self, element: Element<'_>, slot: usize, deadline_ms: u32, now_us: u64) {
        self.slots.push(slot);
        // Fewer than 2^32 operations are under way.
        let tag = (TAG, slot as u32);
        let late_ms = now_us.saturating_sub(self.since_us) / 1_000;
        if deadline_ms == 0 || late_ms == 0 {
            return self.ops.push_with(element, &[tag]);
        }
        // Deadlines count from when the batch was begun.
        let deadline_ms = u32::try_from(u64::from(deadline_ms) + late_ms).unwrap_or(u32::MAX);
        self.ops.push_with(element, &[tag, (DEADLINE, deadline_ms)]);
    }
}

impl Relays {
    pub(in crate::server) fn new(grid: Grid, session: SessionId) -> Self {
        Relays {
            grid,
            session,
            lines: BTreeMap::new(),
            under_way: Slab::new(),
            bytes: 0,
            calls: Vec::new(),
            last: 0,
        }
    }

    /// How many operations are under way.
    pub(in crate::server) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The bytes of operations under way.
    pub(in crate::server) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes an operation for another node.
    pub(in crate::server) fn take(&mut self, to: NodeId, element: Element<'_>, op: &OpRef<'_>, now_us: u64) {
        let bytes = element.bytes().len();
        let line = self.lines.entry(to).or_default();
        if line.waiting.back().is_none_or(|batch| !batch.has_room(bytes)) {
            self.last += 1;
            line.waiting.push_back(Batch::new(self.last, now_us));
        }
        let Some(batch) = line.waiting.back_mut() else { return };
        let slot = self.under_way.insert(Passed { tag: op.tag, bytes, batch: batch.number });
        self.bytes += bytes;
        batch.push(element, slot, op.deadline_ms, now_us);
    }

    /// Sends off what has gathered, as far as calls may be under way.
    pub(in crate::server) fn depart(&mut self, acknowledged_below: u64) {
        for (to, line) in &mut self.lines {
            while line.calls < CALLS
                && let Some(batch) = line.waiting.pop_front()
            {
                line.calls += 1;
                let call = pass_on(self.grid.clone(), *to, self.session, acknowledged_below, batch);
                self.calls.push(Box::pin(call));
            }
        }
    }

    /// Hands the answers that have come to the desk; while there are none, the first to come wakes the task.
    pub(in crate::server) fn poll_answers(&mut self, cx: &mut Context<'_>, desk: &mut Desk) -> Poll<()> {
        let mut returned = Vec::new();
        self.calls.retain_mut(|call| match call.as_mut().poll(cx) {
            Poll::Ready(batch) => {
                returned.push(batch);
                false
            }
            Poll::Pending => true,
        });
        if returned.is_empty() {
            return Poll::Pending;
        }
        for batch in returned {
            self.settle(batch, desk);
        }
        Poll::Ready(())
    }

    /// Answers every operation of a batch.
    fn settle(&mut self, batch: Returned, desk: &mut Desk) {
        let Returned { from, number, slots, replies } = batch;
        if let Some(line) = self.lines.get_mut(&from) {
            line.calls = line.calls.saturating_sub(1);
        }
        let passed_back = replies.and_then(|replies| self.pass_back(number, replies, desk));
        let refusal = match passed_back {
            Ok(()) => Error::internal(format!("node {from} has not answered all that it was asked")),
            Err(error) => lost(from, &error),
        };
        for slot in slots {
            if let Some(passed) = self.remove(slot, number) {
                desk.refuse(passed.tag, refusal.clone());
            }
        }
    }

    fn pass_back(&mut self, number: u64, Raw(replies): Raw, desk: &mut Desk) -> Result<()> {
        let malformed = || Error::internal("its answer is malformed");
        let mut replies = Elements::read(replies, REPLIES).ok_or_else(malformed)?;
        while let Some(reply) = replies.read_next() {
            let slot = reply.tag().map_err(|_| malformed())?;
            if let Some(passed) = self.remove(slot as usize, number) {
                desk.pass_back(passed.tag, reply);
            }
        }
        Ok(())
    }

    /// Takes an operation out, if it is of that batch: another may have its slot by now.
    fn remove(&mut self, slot: usize, batch: u64) -> Option<Passed> {
        self.under_way.get(slot).filter(|passed| passed.batch == batch)?;
        let passed = self.under_way.try_remove(slot)?;
        self.bytes -= passed.bytes;
        Some(passed)
    }
}

/// Passing: the client tries again, under the same numbers.
fn lost(node: NodeId, error: &Error) -> Error {
    let mut lost = Error::new(Class::Unavailable, format!("passed on to node {node}: {}", error.message));
    lost.hint = error.hint.clone();
    lost
}

async fn pass_on(
    grid: Grid,
    to: NodeId,
    session: SessionId,
    acknowledged_below: u64,
    batch: Batch,
) -> Returned {
    let Batch { number, since_us, ops, slots } = batch;
    let operations = Operations {
        session,
        acknowledged_below,
        catalogue: grid.view().version,
        waited_us: grid.mono_us().saturating_sub(since_us),
        shows_rows: false,
        ops: Raw(ops.into_bytes()),
    };
    let replies = ask(&grid, to, &operations, WITHIN).await;
    Returned { from: to, number, slots, replies }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1;

    fn batch(ops: &[(u32, u64)]) -> Vec<v1::Op> {
        let mut batch = Batch::new(1, 1_000_000);
        for (slot, (deadline_ms, now_us)) in ops.iter().enumerate() {
            let mut packed = Packed::<3>::default();
            packed.push(&v1::Op { tag: 77, map: 5, deadline_ms: *deadline_ms, ..Default::default() });
            let mut elements = packed.elements();
            batch.push(elements.read_next().unwrap(), slot + 10, *deadline_ms, *now_us);
        }
        assert_eq!(batch.slots, (10..10 + ops.len()).collect::<Vec<_>>());
        let mut elements = Elements::read(batch.ops.into_bytes(), 3).unwrap();
        let mut ops = Vec::new();
        while let Some(element) = elements.read_next() {
            ops.push(element.decode().unwrap());
        }
        ops
    }

    #[test]
    fn operations_leave_under_the_slots_and_their_deadlines_count_from_the_beginning_of_the_batch() {
        let ops = batch(&[(0, 1_000_000), (50, 1_000_000), (50, 1_030_500), (0, 1_030_500)]);
        let seen: Vec<_> = ops.iter().map(|op| (op.tag, op.deadline_ms, op.map)).collect();
        assert_eq!(seen, [(10, 0, 5), (11, 50, 5), (12, 80, 5), (13, 0, 5)]);
    }

    #[test]
    fn a_lost_batch_is_passing_and_says_where_it_was() {
        let error = lost(NodeId(7), &Error::deadline("it did not answer").hint("wait"));
        assert_eq!(error, Error::unavailable("passed on to node 7: it did not answer").hint("wait"));
    }
}
