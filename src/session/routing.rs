//! Which link an operation leaves over.

use std::collections::VecDeque;

use super::{
    calling::Operation,
    link::LinkId,
    machine::{Pending, Session, State},
};
use crate::topology::partition_of_packed;

impl<O: Operation> Session<O> {
    /// The link for a key: the primary's or, where that cannot be reached, another. None while none is open, and for a
    /// while after the primary's broke.
    pub(super) fn target(&self, key: &[u8]) -> Option<LinkId> {
        if self.links.len() == 1 {
            // There is nothing to choose, and so no key to hash.
            return self.links.iter().next().filter(|(_, link)| link.is_open).map(|(at, _)| LinkId(at));
        }
        let partition = self.partition(key);
        let Some((id, primary)) = self.primary(partition).and_then(|id| Some((id, self.links.get(id.0)?)))
        else {
            return self.detour(partition);
        };
        match (primary.is_open, primary.missed_until_us) {
            (true, _) => Some(id),
            (false, None) => self.detour(partition),
            (false, Some(_)) => None,
        }
    }

    /// Whether a link has an open stream.
    pub fn is_open(&self, link: LinkId) -> bool {
        self.links.get(link.0).is_some_and(|link| link.is_open)
    }

    /// The link to the primary of a key's partition, open or not; none if nobody is known to be the primary.
    pub(super) fn primary_of(&self, key: &[u8]) -> Option<LinkId> {
        self.primary(self.partition(key))
    }

    fn primary(&self, partition: usize) -> Option<LinkId> {
        self.primaries.get(partition).copied().flatten()
    }

    fn partition(&self, key: &[u8]) -> usize {
        let count = u16::try_from(self.primaries.len()).unwrap_or(u16::MAX);
        usize::from(partition_of_packed(key, count).0)
    }

    /// An open link to a node that is not the primary: partitions are spread over all. Nodes that the topology does not
    /// name come last.
    fn detour(&self, partition: usize) -> Option<LinkId> {
        let open = |listed: bool| {
            self.links
                .iter()
                .filter(move |(_, link)| link.is_open && self.is_listed(link.node) == listed)
                .map(|(at, _)| LinkId(at))
        };
        let listed = open(true).count();
        match listed {
            0 => open(false).next(),
            _ => open(true).nth(partition % listed),
        }
    }

    /// Where what leaves over a link waits.
    pub(super) fn queue(&mut self, link: Option<LinkId>) -> &mut VecDeque<u32> {
        match link.and_then(|link| self.links.get_mut(link.0)) {
            Some(link) => &mut link.queue,
            None => &mut self.stranded,
        }
    }

    /// Queues operations where they belong now: first those that have numbers, by these, for the lowest of them holds
    /// back all others; then the rest as they were submitted.
    pub(super) fn enqueue(&mut self, tags: &[u32]) {
        if tags.is_empty() {
            return;
        }
        for tag in tags {
            let Some(pending) = self.pending.get_mut(*tag as usize) else { continue };
            if matches!(pending.state, State::Parked { .. }) {
                self.parked -= 1;
            }
            pending.state = State::Queued;
            let Some(pending) = self.pending.get(*tag as usize) else { continue };
            let target = self.target(pending.op.key());
            self.queue(target).push_back(*tag);
        }
        let pending = &self.pending;
        let rank = |tag: &u32| pending.get(*tag as usize).map(Pending::rank);
        for queue in self.links.iter_mut().map(|(_, link)| &mut link.queue).chain([&mut self.stranded]) {
            queue.make_contiguous().sort_by_key(rank);
        }
    }

    /// Takes everything out of the queues.
    pub(super) fn unqueue(&mut self) -> Vec<u32> {
        let queues = self.links.iter_mut().map(|(_, link)| &mut link.queue).chain([&mut self.stranded]);
        queues.flat_map(|queue| queue.drain(..)).collect()
    }
}

impl<O> Pending<O> {
    fn rank(&self) -> (u64, u64) {
        let number = if self.number == 0 { u64::MAX } else { self.number };
        (number, self.order)
    }
}
