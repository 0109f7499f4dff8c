//! An entry's way: prepared, acknowledged, committed, applied, published.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Core;
use crate::{
    partition::{
        Answered, Change, Effect, Entry,
        admission::Room,
        expiry::Due,
        tail::{Prepared, Waiter},
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

impl Core {
    pub(super) fn next_seq(&self) -> Seq {
        Seq(self.seq.0 + 1)
    }

    /// Assigns the next seq, and commits at once if nobody else has to acknowledge.
    pub(super) fn prepare(&mut self, draft: Draft, effects: &mut Vec<Effect>) {
        self.seq = self.next_seq();
        self.time = self.partition_time();
        let Draft { answered, changes, waiters, room } = draft;
        if let Some(answered) = &answered {
            self.sessions.answer(answered, self.seq);
        }
        for change in &changes {
            self.note_debt(change);
        }
        let (generation, epoch) = (self.configuration.generation, self.configuration.epoch);
        let entry = Arc::new(Entry {
            position: Position { generation, epoch, seq: self.seq },
            time: self.time,
            view: self.view.version,
            answered,
            changes,
        });
        self.acknowledgements.acknowledge(self.me, self.seq);
        if self.tail.is_empty() && self.acknowledgements.commit_point() >= Some(self.seq) {
            self.commit(Prepared { entry, waiters, room: None }, effects);
        } else {
            if let Some(room) = room {
                self.admission.enter(room);
            }
            let store = &self.store;
            self.tail.push(Prepared { entry, waiters, room }, |key| store.hash(key));
        }
    }

    /// Commits what every replica of the in-sync set has.
    pub(super) fn advance(&mut self, effects: &mut Vec<Effect>) {
        let Some(commit_point) = self.acknowledgements.commit_point() else { return };
        loop {
            let store = &self.store;
            let Some(prepared) = self.tail.pop(commit_point, |key| store.hash(key)) else { return };
            self.commit(prepared, effects);
        }
    }

    fn commit(&mut self, prepared: Prepared, effects: &mut Vec<Effect>) {
        let Prepared { entry, waiters, room } = prepared;
        apply(&mut self.store, &entry);
        for change in &entry.changes {
            self.note_expiry(change);
        }
        if let Some(room) = room {
            self.admission.leave(room);
        }
        waiters.into_iter().for_each(|waiter| waiter.reply(effects));
        self.log.push(entry.clone());
        effects.push(Effect::Publish(entry));
    }

    fn note_expiry(&mut self, change: &Change) {
        if let Change::Catalogue(view) = change {
            self.expiry.keep_maps(|map| view.maps.contains_key(&map));
        }
        let Some((map, old, new)) = change.row() else { return };
        let had = old.and_then(Record::expires_at).is_some();
        let due = new.and_then(|new| Some(Due { at: new.expires_at()?, map, key: key_of(new)? }));
        if !had && due.is_none() {
            return;
        }
        let store = &self.store;
        self.expiry.change(had, due, |due| expires_at(store, due.map, &due.key) == Some(due.at));
    }
}

/// A stored record's key. Records are only made of keys.
pub(super) fn key_of(record: &Record) -> Option<Key> {
    Key::from_packed(record.key()).ok()
}

fn expires_at(store: &Writer, map: MapId, key: &Key) -> Option<crate::types::Timestamp> {
    store.find(map, store.hash(key.packed()), key.packed())?.expires_at()
}

/// What an entry does to the store, on every replica alike.
fn apply(store: &mut Writer, entry: &Entry) {
    let mut changes = store.apply();
    for change in &entry.changes {
        match change {
            Change::Put { map, new, .. } | Change::Scored { map, new, .. } | Change::Ttl { map, new, .. } => {
                let hash = changes.hash(new.key());
                changes.put(*map, hash, new.clone());
            }
            Change::Remove { map, old } | Change::Expire { map, old } => {
                let hash = changes.hash(old.key());
                changes.remove(*map, hash, old.key());
            }
            Change::Catalogue(_) | Change::EndSession(_) => {}
        }
    }
    drop(changes);
    for change in &entry.changes {
        if let Change::Catalogue(view) = change {
            store.keep_maps(view.maps.keys().copied());
        }
    }
}
