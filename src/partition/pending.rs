//! What the primary knows of its tail: who waits for each entry, and what each key will hold.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::{Answer, Effect, Entry, Origin, admission::Room, identity::ByNumber, slots::Slot, tail::Tail};
use crate::{
    store::{KeyHash, Record},
    types::{MapId, Seq},
};

/// A reply that waits for a commit.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) origin: Origin,
    pub(super) answer: Answer,
}

impl Waiter {
    pub(super) fn reply(self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Reply { origin: self.origin, answer: self.answer.map_err(|error| *error) });
    }
}

/// Who waits for one entry's commit.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) waiters: SmallVec<[Waiter; 1]>,
    /// Given back when it commits.
    pub(super) room: Option<Room>,
}

/// Goes with a tail, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: VecDeque<Waiting>,
    /// Which entries touch a slot, ascending.
    touching: ByNumber<Slot, SmallVec<[Seq; 2]>>,
}

impl Pending {
    /// The entry was added to the tail.
    pub(super) fn push(&mut self, entry: &Entry, waiting: Waiting, hash: impl Fn(&[u8]) -> KeyHash) {
        for slot in slots_of(entry, hash) {
            self.touching.entry(slot).or_default().push(entry.position.seq);
        }
        self.waiting.push_back(waiting);
    }

    /// The entry was taken from the tail's front.
    pub(super) fn pop(&mut self, entry: &Entry, hash: impl Fn(&[u8]) -> KeyHash) -> Waiting {
        for slot in slots_of(entry, hash) {
            if let Some(seqs) = self.touching.get_mut(&slot) {
                seqs.retain(|touching| *touching != entry.position.seq);
                if seqs.is_empty() {
                    self.touching.remove(&slot);
                }
            }
        }
        self.waiting.pop_front().unwrap_or_default()
    }

    /// What the key will hold once all is committed: outer none if nothing prepared touches it, inner none if it
    /// is removed.
    pub(super) fn find<'t>(
        &self,
        tail: &'t Tail,
        slot: Slot,
        map: MapId,
        key: &[u8],
    ) -> Option<Option<&'t Record>> {
        let seqs = self.touching.get(&slot)?;
        seqs.iter().rev().find_map(|seq| {
            let changes = tail.at(*seq)?.changes.iter().rev();
            changes.filter_map(|change| change.row()).find_map(|(of, old, new)| {
                let touched = new.or(old)?;
                (of == map && touched.key() == key).then_some(new)
            })
        })
    }

    /// Lets a reply wait for the commit of the `index`-th entry of the tail, or of the last one. Hands it back if
    /// there is none.
    pub(super) fn wait(&mut self, index: Option<usize>, waiter: Waiter) -> Result<(), Waiter> {
        let index = index.or_else(|| self.waiting.len().checked_sub(1));
        match index.and_then(|index| self.waiting.get_mut(index)) {
            Some(waiting) => {
                waiting.waiters.push(waiter);
                Ok(())
            }
            None => Err(waiter),
        }
    }

    /// Everybody who waits.
    pub(super) fn into_waiters(self) -> impl Iterator<Item = Waiter> {
        self.waiting.into_iter().flat_map(|waiting| waiting.waiters)
    }
}

fn slots_of(entry: &Entry, hash: impl Fn(&[u8]) -> KeyHash) -> SmallVec<[Slot; 1]> {
    let rows = entry.changes.iter().filter_map(|change| change.row());
    rows.filter_map(|(map, old, new)| Some(Slot::of(map, hash(new.or(old)?.key())))).collect()
}
