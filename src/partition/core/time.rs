//! What time brings: deadlines, expiry, scores to ask for again.

use smallvec::smallvec;

use super::{Primary, Standing, Tenure, commit::Draft, request::Conclusion};
use crate::{
    mutant::Mutant,
    partition::{Change, Effect, expiry::Due, replication::Phase, site::Site, slots::Slot},
    types::{Error, Timestamp},
};

/// How many rows expire in one step, so that a tick stays short.
const EXPIRE_AT_ONCE: usize = 256;
/// When to look again at a due row whose key is busy.
const BUSY_PAUSE_MS: i64 = 50;
/// The time of day may jump: a queue of expiries is looked at this often.
const LONGEST_SLEEP_US: u64 = 500_000;

impl Tenure {
    pub(super) fn next_deadline(&self, site: &Site) -> Option<u64> {
        let now_us = site.now.mono_us;
        let own = match self.phase {
            Phase::Serving => self.next_due_us(site),
            Phase::TakingOver { from_us, .. } => Some(from_us).filter(|from_us| *from_us > now_us),
            Phase::HandingOver(hand_over) => Some(hand_over.next_us()),
        };
        let peers = &self.peers.all;
        let beacon = (!peers.is_empty()).then_some(self.beacon_at_us);
        let peers = peers.iter().filter_map(|peer| peer.next_us(now_us, &site.timing)).min();
        [own, beacon, peers, self.held.next_us()].into_iter().flatten().min()
    }

    fn next_due_us(&self, site: &Site) -> Option<u64> {
        let expiry = self.expiry.next().map(|at| {
            let ms = u64::try_from(at.0.saturating_sub(site.now.wall.0)).unwrap_or(0);
            site.now.mono_us.saturating_add(ms.saturating_mul(1_000).min(LONGEST_SLEEP_US))
        });
        let late = self.deadlines.first().map(|(deadline_us, _)| *deadline_us);
        [expiry, late, self.debts.next_due_us()].into_iter().flatten().min()
    }
}

impl Primary<'_> {
    pub(super) fn handle_tick(&mut self, effects: &mut Vec<Effect>) {
        if self.is_serving() {
            self.end_waiting(effects);
            self.expire(effects);
        }
    }

    /// Ends what has waited for too long.
    fn end_waiting(&mut self, effects: &mut Vec<Effect>) {
        while let Some((deadline_us, id)) = self.tenure.deadlines.first().copied() {
            if deadline_us > self.site.now.mono_us {
                return;
            }
            let Some(Standing { op, scoring, .. }) = self.unstand(id) else { return };
            match scoring {
                Some(scoring) => self.conclude_scoring(op, Some(id), scoring, effects),
                None => {
                    let error = Error::deadline("the request's deadline passed while its key was busy");
                    self.finish(op, Some(id), Conclusion::refusal(error), effects);
                }
            }
            // The next in line may have become ready; a deadline of its own may have passed too.
            self.run_ready(effects);
        }
    }

    fn expire(&mut self, effects: &mut Vec<Effect>) {
        let now = self.partition_time();
        for _ in 0..EXPIRE_AT_ONCE {
            let Some(due) = self.tenure.expiry.pop(now) else { return };
            self.expire_row(due, now, effects);
        }
    }

    fn expire_row(&mut self, due: Due, now: Timestamp, effects: &mut Vec<Effect>) {
        let hash = self.ledger.store.hash(due.key.packed());
        let Some(old) = self.current(due.map, hash, due.key.packed()) else { return };
        if old.expires_at().is_none_or(|at| at > now) && !Mutant::ExpiresAnyway.is_on() {
            return;
        }
        if self.tenure.slots.is_free(Slot::of(due.map, hash)) || Mutant::ExpiresBusyRows.is_on() {
            let changes = smallvec![Change::Expire { map: due.map, old }];
            self.prepare(Draft { changes, ..Draft::default() }, effects);
        } else {
            self.tenure.expiry.postpone(Due { at: Timestamp(now.0.saturating_add(BUSY_PAUSE_MS)), ..due });
        }
    }
}
