//! A primary's tenure from its first moment to its last (protocol rule 5).

use crate::{
    partition::{
        Effect,
        core::{Primary, Standing, Tenure},
    },
    types::{Error, Seq},
};

const UNKNOWN: &str = "the partition lost its primary before the change was committed: the next primary knows \
                       whether it took effect, and tells a session that repeats it";

/// How far a primary has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::partition) enum Phase {
    /// It has a tail to commit, and may not commit before the lease has run out that it granted the primary before.
    TakingOver {
        /// When that is.
        from_us: u64,
        /// The last entry that it brought along.
        upto: Seq,
    },
    /// What it brought along is committed: it decides, and may be read.
    Serving,
}

impl Primary<'_> {
    /// Goes on with a takeover as far as it can. Its tail is sent out meanwhile, as any other is.
    pub(in crate::partition) fn take_over(&mut self, effects: &mut Vec<Effect>) {
        let Phase::TakingOver { from_us, upto } = self.tenure.phase else { return };
        if self.site.now.mono_us < from_us {
            return;
        }
        self.advance(effects);
        // Below its log's version of the catalogue, it does not know what it would serve (rule 9).
        let is_informed = self.site.latest.version >= self.tenure.catalogue;
        if self.ledger.committed().seq < upto || !is_informed {
            return;
        }
        self.tenure.phase = Phase::Serving;
        self.cut_over(effects);
        self.renew_lease();
    }

    /// The next configuration, of which this replica is still the primary.
    pub(in crate::partition) fn reconfigure(&mut self, effects: &mut Vec<Effect>) {
        let now_us = self.site.now.mono_us;
        let committed = self.ledger.committed().seq;
        self.tenure.peers.reconfigure(&self.site.configuration, self.site.me, committed, now_us);
        self.tenure.beacon_at_us = now_us;
        self.renew_lease();
        self.advance(effects);
    }
}

impl Tenure {
    /// The end: whoever waits is sent on. A session repeats its request at the next primary, which knows whether it
    /// took effect.
    pub(in crate::partition) fn depose(self, led_elsewhere: Error, effects: &mut Vec<Effect>) {
        let mut standing: Vec<_> = self.standing.into_iter().collect();
        standing.sort_unstable_by_key(|(id, _)| *id);
        for (_, Standing { op, .. }) in standing {
            for origin in op.retries.into_iter().chain([op.request.origin]) {
                effects.push(Effect::Reply { origin, answer: Err(led_elsewhere.clone()) });
            }
        }
        let unknown = Error { message: UNKNOWN.into(), ..led_elsewhere };
        for waiter in self.pending.into_waiters() {
            effects.push(Effect::Reply { origin: waiter.origin, answer: Err(unknown.clone()) });
        }
    }
}
