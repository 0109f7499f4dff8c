//! Operations passed on to the node of their primary, in batches that come back with all their answers (`server::relay`).
//! It is one hop: whoever is asked and is not the primary says so. A batch may be lost on either way.

use embergrid::types::{Error, NodeId};

use super::super::draft::{Reply, Sent};
use super::super::events::{Arrival, Batch, Event, Inner};
use super::super::owed::{Creditor, Passed, Taken};
use super::super::stream::{Down, StreamId};
use super::World;
use super::service::Frame;

/// How long another node may take to answer.
const WITHIN_US: u64 = 10_000_000;

impl World {
    pub(super) fn pass_on(
        &mut self,
        node: NodeId,
        to: NodeId,
        stream: StreamId,
        ops: Vec<Sent>,
        frame: Frame,
    ) {
        self.seen.relayed += ops.len() as u64;
        let number = self.owing.next();
        self.owing.passed.insert(number, Passed { from: node, to, stream, ops: ops.clone() });
        self.within_after(node, WITHIN_US, Inner::Lost { batch: number });
        let Some(delay_us) = self.network.delay_us(&mut self.dice, node.into(), to.into()) else {
            return self.lose(node, number);
        };
        let Frame { session, acknowledged_below } = frame;
        let batch = Batch { number, from: node, session, acknowledged_below, ops };
        self.after(delay_us, Event::Arrives(to, Arrival::Passed(batch)));
    }

    /// Sooner or later, whoever passed a batch on sees that the way to the other node is gone.
    fn lose(&mut self, from: NodeId, batch: u64) {
        let soon = self.dice.percent(60);
        let delay_us = self.dice.between(1_000, if soon { 100_000 } else { 3_000_000 });
        self.within_after(from, delay_us, Inner::Lost { batch });
    }

    /// Something reaches a machine on which no node runs.
    pub(super) fn miss(&mut self, arrival: &Arrival) {
        match arrival {
            Arrival::Passed(Batch { number, from, .. }) => self.lose(*from, *number),
            Arrival::Forwarded { from, forwarded, .. } => {
                self.lose_forwarded(*from, forwarded.request.origin.tag);
            }
            _ => {}
        }
    }

    /// A node carries out what another passes on.
    pub(super) fn take_batch(&mut self, node: NodeId, batch: Batch) {
        let Batch { number, from, session, acknowledged_below, ops } = batch;
        let taken = Taken { node, from, left: ops.len(), replies: Vec::new() };
        self.owing.taken.insert(number, taken);
        for op in ops {
            let frame = Frame { session, acknowledged_below };
            self.carry_out(node, Creditor::Batch(number), op, frame);
        }
    }

    /// An answer for a batch, which goes back when all are there.
    pub(super) fn add_to_batch(&mut self, node: NodeId, batch: u64, reply: Reply) {
        let Some(taken) = self.owing.taken.get_mut(&batch) else { return };
        taken.replies.push(reply);
        taken.left -= 1;
        if taken.left > 0 {
            return;
        }
        let Some(Taken { from, replies, .. }) = self.owing.taken.remove(&batch) else { return };
        match self.network.delay_us(&mut self.dice, node.into(), from.into()) {
            Some(delay_us) => self.within_after(from, delay_us, Inner::Returned { batch, replies }),
            None => self.lose(from, batch),
        }
    }

    /// A batch has come back with these answers; operations without one may have been carried out, or not.
    pub(super) fn settle_batch(&mut self, batch: u64, mut replies: Vec<Reply>) {
        let Some(Passed { to, stream, ops, .. }) = self.owing.passed.remove(&batch) else { return };
        for op in ops {
            let reply = match replies.iter().position(|reply| reply.tag == op.tag) {
                Some(at) => replies.swap_remove(at),
                None => {
                    let lost = Error::unavailable(format!("passed on to node {to}: it does not answer"));
                    Reply { tag: op.tag, about: None, answer: Err(lost) }
                }
            };
            self.push_down(stream, Down::Reply(reply));
        }
    }
}
