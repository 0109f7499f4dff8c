//! Rows that a job has scored (protocol rules 10 and 25).

use smallvec::{SmallVec, smallvec};

use super::{Primary, commit::Draft};
use crate::{
    partition::{Change, Effect, JobBatch, Outcome, ScoredRow, pending::Waiter, slots::Slot},
    types::{BindingId, Error, JobId, MapId},
};

impl Primary<'_> {
    /// Takes the rows that still are what was scored, all in one entry; the others are left as they are. The reply waits
    /// until the entry, or without one whatever was prepared before, is committed.
    pub(super) fn handle_job(&mut self, batch: JobBatch, effects: &mut Vec<Effect>) {
        let JobBatch { origin, job, binding, map, rows } = batch;
        let is_current = || {
            let view = self.tenure.view.maps.get(&map.map.id);
            view.is_some_and(|view| {
                view.scores_like(&map) && view.bindings.iter().any(|bound| bound.id == binding)
            })
        };
        let check = self.check_serving().and_then(|()| match is_current() {
            true => Ok(()),
            false => Err(Error::conflict("the map or its bindings are not what was scored")),
        });
        if let Err(error) = check {
            return effects.push(Effect::Reply { origin, answer: Err(error) });
        }
        let asked = rows.len();
        let taken = rows.into_iter().filter_map(|row| self.take_scored(job, binding, map.map.id, row));
        let changes: SmallVec<[Change; 1]> = taken.collect();
        let answer = Ok(Outcome { applied: changes.len() == asked, ..Outcome::default() });
        let waiter = Waiter { origin, answer };
        if !changes.is_empty() {
            let waiters = smallvec![waiter];
            self.prepare(Draft { changes, waiters, ..Draft::default() }, effects);
        } else if let Err(waiter) = self.tenure.pending.wait(None, waiter) {
            waiter.reply(effects);
        }
    }

    /// A row under a write is left to it: whatever was decided about the row, the score may be part of it.
    fn take_scored(&self, job: JobId, binding: BindingId, map: MapId, row: ScoredRow) -> Option<Change> {
        let (before, new) = row.into_parts();
        let hash = self.ledger.store.hash(before.key());
        if !self.tenure.slots.is_free(Slot::of(map, hash)) {
            return None;
        }
        let old = self.current(map, hash, before.key())?;
        let is_found = old.same(&before) || old == before;
        (is_found && !old.is_scored_by(job, binding)).then_some(Change::Scored { map, old, new })
    }
}
