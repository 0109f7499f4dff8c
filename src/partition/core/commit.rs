//! An entry's way: prepared, acknowledged, committed, applied, published.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Primary;
use crate::{
    catalog::Configuration,
    mutant::Mutant,
    partition::{
        Answered, Change, Effect, Entry,
        admission::Room,
        expiry::Due,
        pending::{Waiter, Waiting},
        replication::Phase,
    },
    store::{Record, Writer},
    types::{Key, MapId, Position, Seq},
};

/// What an entry is made of.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) answered: Option<Answered>,
    pub(super) changes: SmallVec<[Change; 1]>,
    /// Who waits for its commit.
    pub(super) waiters: SmallVec<[Waiter; 1]>,
    /// What the operation behind it takes until then.
    pub(super) room: Option<Room>,
}

impl Primary<'_> {
    pub(super) fn next_seq(&self) -> Seq {
        Seq(self.tenure.seq.0 + 1)
    }

    /// Assigns the next seq, and commits at once if nobody else has to acknowledge.
    pub(super) fn prepare(&mut self, draft: Draft, effects: &mut Vec<Effect>) {
        self.tenure.seq = self.next_seq();
        self.tenure.time = self.partition_time();
        let Draft { answered, changes, waiters, room } = draft;
        for change in &changes {
            self.note_debt(change);
        }
        let seq = self.tenure.seq;
        let Configuration { generation, epoch, .. } = *self.site.configuration;
        let entry = Arc::new(Entry {
            position: Position { generation, epoch, seq },
            time: self.tenure.time,
            view: self.tenure.catalogue,
            answered,
            changes,
        });
        if self.ledger.tail.is_empty() && self.commit_point() >= Some(seq) {
            return self.commit(&entry, Waiting { waiters, room: None }, effects);
        }
        if let Some(answered) = &entry.answered {
            self.ledger.sessions.prepare(answered.id, seq);
        }
        if let Some(room) = room {
            self.tenure.admission.enter(room);
        }
        let store = &self.ledger.store;
        self.tenure.pending.push(&entry, Waiting { waiters, room }, |key| store.hash(key));
        self.ledger.tail.push(entry);
    }

    /// The last entry that may be committed; none while none may.
    fn commit_point(&self) -> Option<Seq> {
        match self.tenure.phase {
            // The primary before may be read for as long as its lease lasts.
            Phase::TakingOver { from_us, .. }
                if self.site.now.mono_us < from_us && !Mutant::CommitsBeforeLeaseEnds.is_on() =>
            {
                None
            }
            Phase::TakingOver { upto, .. } if Mutant::TrustsTail.is_on() => Some(upto),
            _ => self.tenure.peers.commit_point(self.tenure.seq),
        }
    }

    /// Commits what every replica has that a commit needs.
    pub(in crate::partition) fn advance(&mut self, effects: &mut Vec<Effect>) {
        let Some(commit_point) = self.commit_point() else { return };
        while let Some(entry) = self.ledger.tail.pop(commit_point) {
            let store = &self.ledger.store;
            let waiting = self.tenure.pending.pop(&entry, |key| store.hash(key));
            self.commit(&entry, waiting, effects);
        }
    }

    fn commit(&mut self, entry: &Arc<Entry>, waiting: Waiting, effects: &mut Vec<Effect>) {
        self.ledger.apply(entry);
        for change in &entry.changes {
            self.note_expiry(change);
        }
        if let Some(room) = waiting.room {
            self.tenure.admission.leave(room);
        }
        waiting.waiters.into_iter().for_each(|waiter| waiter.reply(effects));
        effects.push(Effect::Publish(entry.clone()));
    }

    fn note_expiry(&mut self, change: &Change) {
        if let Change::Catalogue(catalogue) = change {
            self.tenure.expiry.keep_maps(|map| catalogue.maps.contains(&map));
        }
        let Some((map, old, new)) = change.row() else { return };
        let had = old.and_then(Record::expires_at).is_some();
        let due = new.and_then(|new| Some(Due { at: new.expires_at()?, map, key: key_of(new)? }));
        if !had && due.is_none() {
            return;
        }
        let store = &self.ledger.store;
        self.tenure.expiry.change(had, due, |due| expires_at(store, due.map, &due.key) == Some(due.at));
    }
}

/// A stored record's key. Records are only made of keys.
pub(super) fn key_of(record: &Record) -> Option<Key> {
    Key::from_packed(record.key()).ok()
}

fn expires_at(store: &Writer, map: MapId, key: &Key) -> Option<crate::types::Timestamp> {
    store.find(map, store.hash(key.packed()), key.packed())?.expires_at()
}
