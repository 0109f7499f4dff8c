//! Requests that a primary had not decided on when it handed its role over. They go to the new one, which may have to hear
//! of that first, and their answers come back the same way.

use embergrid::partition::{Origin, Request};
use embergrid::types::{Error, NodeId};

use super::super::draft::What;
use super::super::events::{Arrival, Event, Forwarded, Inner};
use super::super::host::{Message, elsewhere};
use super::super::owed::{Creditor, Owed};
use super::World;

/// How long the new primary's node may be behind, and how often it looks.
const BEHIND_MOST_US: u64 = 1_000_000;
const LOOK_EVERY_US: u64 = 2_000;
/// How long another node may take to answer.
const WITHIN_US: u64 = 10_000_000;

impl World {
    pub(super) fn forward(&mut self, node: NodeId, forwarded: Forwarded) {
        self.seen.forwarded += 1;
        let (to, slot) = (forwarded.to, forwarded.request.origin.tag);
        self.within_after(node, WITHIN_US, Inner::Paid { slot, answer: Err(lost()) });
        let Some(delay_us) = self.network.delay_us(&mut self.dice, node.into(), to.into()) else {
            return self.lose_forwarded(node, slot);
        };
        let until_us = self.now_us + delay_us + BEHIND_MOST_US;
        self.after(delay_us, Event::Arrives(to, Arrival::Forwarded { from: node, forwarded, until_us }));
    }

    /// Sooner or later, whoever forwarded a request sees that no answer will come.
    pub(super) fn lose_forwarded(&mut self, from: NodeId, slot: u64) {
        let delay_us = self.dice.between(1_000, 1_000_000);
        self.within_after(from, delay_us, Inner::Paid { slot, answer: Err(lost()) });
    }

    pub(super) fn take_forwarded(&mut self, node: NodeId, from: NodeId, forwarded: Forwarded, until_us: u64) {
        let Some(host) = &self.machines[node.0 as usize - 1].host else { return };
        if host.catalogue().placement < forwarded.placement && self.now_us < until_us {
            let again = Arrival::Forwarded { from, forwarded, until_us };
            return self.after(LOOK_EVERY_US, Event::Arrives(node, again));
        }
        let Forwarded { partition, request, .. } = forwarded;
        let (slot, primary) = (request.origin.tag, host.primary(partition));
        if primary != Some(node) {
            // The role went on meanwhile: whoever asked is told where.
            return self.pay_forwarder(node, from, slot, Err(elsewhere(partition, primary)));
        }
        let Some(Owed { tag, call, about, .. }) = self.owing.find(slot).cloned() else { return };
        let to = Creditor::Forwarder(from, slot);
        let tag = self.owing.owe(Owed { node, to, tag, call, about });
        let request = Request { origin: Origin { connection: 0, tag }, ..request };
        if let Some(host) = &mut self.machines[node.0 as usize - 1].host {
            host.post(Message::Request(partition, request));
        }
    }

    pub(super) fn pay_forwarder(&mut self, node: NodeId, to: NodeId, slot: u64, answer: Result<What, Error>) {
        match self.network.delay_us(&mut self.dice, node.into(), to.into()) {
            Some(delay_us) => self.within_after(to, delay_us, Inner::Paid { slot, answer }),
            None => self.lose_forwarded(to, slot),
        }
    }
}

fn lost() -> Error {
    Error::unavailable("the node to which it was forwarded does not answer")
}
