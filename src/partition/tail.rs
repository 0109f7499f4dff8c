//! Prepared entries: seq assigned, not yet committed.

use std::{collections::VecDeque, sync::Arc};

use smallvec::SmallVec;

use super::{Answer, Effect, Entry, Origin, admission::Room, identity::ByNumber, slots::Slot};
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

/// One prepared entry, and who waits for its commit.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) entry: Arc<Entry>,
    pub(super) waiters: SmallVec<[Waiter; 1]>,
    /// Given back when it commits.
    pub(super) room: Option<Room>,
}

#[derive(Debug, Default)]
pub(super) struct Tail {
    prepared: VecDeque<Prepared>,
    /// Which of them touch a slot, ascending.
    touching: ByNumber<Slot, SmallVec<[Seq; 2]>>,
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.prepared.is_empty()
    }

    /// Adds an entry, which follows the last one.
    pub(super) fn push(&mut self, prepared: Prepared, hash: impl Fn(&[u8]) -> KeyHash) {
        for slot in slots_of(&prepared.entry, hash) {
            self.touching.entry(slot).or_default().push(prepared.entry.position.seq);
        }
        self.prepared.push_back(prepared);
    }

    /// Takes the oldest entry if its seq is at most `commit_point`.
    pub(super) fn pop(&mut self, commit_point: Seq, hash: impl Fn(&[u8]) -> KeyHash) -> Option<Prepared> {
        let seq = self.prepared.front()?.entry.position.seq;
        if seq > commit_point {
            return None;
        }
        let prepared = self.prepared.pop_front()?;
        for slot in slots_of(&prepared.entry, hash) {
            if let Some(seqs) = self.touching.get_mut(&slot) {
                seqs.retain(|touching| *touching != seq);
                if seqs.is_empty() {
                    self.touching.remove(&slot);
                }
            }
        }
        Some(prepared)
    }

    /// What the key will hold once all is committed: outer none if nothing prepared touches it, inner none if it
    /// is removed.
    pub(super) fn find(&self, slot: Slot, map: MapId, key: &[u8]) -> Option<Option<&Record>> {
        let seqs = self.touching.get(&slot)?;
        seqs.iter().rev().find_map(|seq| {
            let changes = self.at(*seq)?.entry.changes.iter().rev();
            changes.filter_map(|change| change.row()).find_map(|(of, old, new)| {
                let touched = new.or(old)?;
                (of == map && touched.key() == key).then_some(new)
            })
        })
    }

    /// Lets a reply wait for the commit of the entry at `seq`, or of the last one. Hands it back if that is
    /// committed.
    pub(super) fn wait(&mut self, seq: Option<Seq>, waiter: Waiter) -> Result<(), Waiter> {
        let index = match seq {
            Some(seq) => self.index(seq),
            None => self.prepared.len().checked_sub(1),
        };
        match index.and_then(|index| self.prepared.get_mut(index)) {
            Some(prepared) => {
                prepared.waiters.push(waiter);
                Ok(())
            }
            None => Err(waiter),
        }
    }

    fn at(&self, seq: Seq) -> Option<&Prepared> {
        self.prepared.get(self.index(seq)?)
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        let first = self.prepared.front()?.entry.position.seq;
        usize::try_from(seq.0.checked_sub(first.0)?).ok()
    }
}

fn slots_of(entry: &Entry, hash: impl Fn(&[u8]) -> KeyHash) -> SmallVec<[Slot; 1]> {
    let rows = entry.changes.iter().filter_map(|change| change.row());
    rows.filter_map(|(map, old, new)| Some(Slot::of(map, hash(new.or(old)?.key())))).collect()
}
