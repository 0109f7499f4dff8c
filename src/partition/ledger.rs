//! What every replica holds, whatever its role: the rows, the entries that made them, and the answers they gave.

use std::sync::Arc;

use super::{Change, Cutover, Entry, Limits, Log, sessions::Sessions, tail::Tail};
use crate::{
    store::Writer,
    types::{Position, Seq, Timestamp},
};

/// One replica's copy of the partition. Store, log and sessions are as of the last committed entry; the tail holds
/// what is prepared.
pub(super) struct Ledger {
    pub(super) store: Writer,
    pub(super) log: Log,
    pub(super) tail: Tail,
    pub(super) sessions: Sessions,
    /// Partition time as of the last committed entry.
    pub(super) time: Timestamp,
}

impl Ledger {
    /// An empty one, which begins after `start`.
    pub(super) fn new(start: Position, store: Writer, limits: &Limits) -> Self {
        Ledger {
            store,
            log: Log::new(start, Arc::default(), limits),
            tail: Tail::default(),
            sessions: Sessions::new(limits),
            time: Timestamp(i64::MIN),
        }
    }

    /// Forgets everything: what follows `at` will be told, and what led to it copied.
    pub(super) fn reset(&mut self, at: Position, time: Timestamp, catalogue: Arc<Cutover>, limits: &Limits) {
        self.store.clear();
        self.store.keep_maps(catalogue.maps.iter().copied());
        self.log = Log::new(at, catalogue, limits);
        self.tail = Tail::default();
        self.sessions.reset(limits);
        self.time = time;
    }

    /// The last committed entry's position.
    pub(super) fn committed(&self) -> Position {
        self.log.last()
    }

    /// The last entry's position, prepared or committed.
    pub(super) fn end(&self) -> Position {
        self.tail.last().map_or(self.log.last(), |entry| entry.position)
    }

    /// The position of an entry, if it is known still.
    pub(super) fn position_at(&self, seq: Seq) -> Option<Position> {
        if seq > self.log.last().seq { self.tail.position_at(seq) } else { self.log.position_at(seq) }
    }

    /// The entries after `seq`, committed and prepared; none if some of them are gone.
    pub(super) fn after(&self, seq: Seq) -> Option<impl Iterator<Item = &Arc<Entry>>> {
        let committed = self.log.after_seq(seq.min(self.log.last().seq))?;
        Some(committed.chain(self.tail.after(seq)))
    }

    /// Applies a committed entry, which follows the last one.
    pub(super) fn apply(&mut self, entry: &Arc<Entry>) {
        debug_assert_eq!(entry.position.seq.0, self.log.last().seq.0 + 1, "entries are applied in order");
        self.apply_rows(entry);
        if let Some(answered) = &entry.answered {
            self.sessions.answer(answered);
        }
        self.time = entry.time;
        self.log.push(entry.clone());
    }

    fn apply_rows(&mut self, entry: &Entry) {
        let mut changes = self.store.apply();
        for change in &entry.changes {
            match change {
                Change::Put { map, new, .. }
                | Change::Scored { map, new, .. }
                | Change::Ttl { map, new, .. } => {
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
            match change {
                Change::Catalogue(catalogue) => self.store.keep_maps(catalogue.maps.iter().copied()),
                Change::EndSession(session) => self.sessions.end(*session),
                _ => {}
            }
        }
    }
}
