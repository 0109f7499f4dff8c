//! A primary's tenure from its first moment to its last (protocol rule 5).

use super::handover::HandOver;
use crate::{
    catalog::Configuration,
    mutant::Mutant,
    partition::{
        Effect, Input, Request,
        core::{Primary, Standing, Tenure},
    },
    types::{Error, NodeId, Seq},
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
    /// It gives its role to a backup.
    HandingOver(HandOver),
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
        let is_informed = self.site.latest.version >= self.tenure.catalogue
            || Mutant::ServesUninformed.is_on()
            || Mutant::CutsBack.is_on();
        let has_tail = self.ledger.committed().seq >= upto || Mutant::ServesBeforeTail.is_on();
        if !has_tail || !is_informed || !self.is_expected() {
            return;
        }
        self.tenure.phase = Phase::Serving;
        self.cut_over(effects);
        self.renew_lease();
        self.end_sessions(effects);
        self.release(effects);
    }

    /// Whether nothing would be refused from now on: what waits for a primary that was handed its role waits until it has
    /// a lease.
    fn is_expected(&self) -> bool {
        let until_us = self.tenure.peers.lease_until_us(self.site.control_lease_us);
        !self.site.configuration.handed_over || self.site.now.mono_us < until_us
    }

    /// The next configuration, of which this replica is still the primary.
    pub(in crate::partition) fn reconfigure(&mut self, effects: &mut Vec<Effect>) {
        let now_us = self.site.now.mono_us;
        let committed = self.ledger.committed().seq;
        self.tenure.peers.reconfigure(&self.site.configuration, self.site.me, committed, now_us);
        self.tenure.beacon_at_us = now_us;
        if let Phase::HandingOver(_) = self.tenure.phase {
            // What was proposed in the epoch before cannot take effect any more.
            self.keep_role(effects);
        }
        self.renew_lease();
        self.advance(effects);
    }
}

impl Tenure {
    /// The end: whoever waits is sent on, and forwarded to whom the role was handed. A session repeats its request at the
    /// next primary, which knows whether it took effect.
    pub(in crate::partition) fn depose(
        self,
        next: &Configuration,
        led_elsewhere: Error,
        effects: &mut Vec<Effect>,
    ) {
        let is_forwarded = next.handed_over && !Mutant::RefusesAtHandOver.is_on();
        let heir = next.primary_node().filter(|_| is_forwarded);
        let mut standing: Vec<_> = self.standing.into_iter().collect();
        standing.sort_unstable_by_key(|(id, _)| *id);
        for (_, Standing { op, .. }) in standing {
            for origin in op.retries {
                let retry = Request { origin, ..op.request.clone() };
                effects.push(sent_on(retry, heir, &led_elsewhere));
            }
            effects.push(sent_on(op.request, heir, &led_elsewhere));
        }
        for input in self.held.into_inputs() {
            match input {
                Input::Request(request) => effects.push(sent_on(request, heir, &led_elsewhere)),
                Input::Job(batch) => {
                    effects.push(Effect::Reply { origin: batch.origin, answer: Err(led_elsewhere.clone()) });
                }
                _ => {}
            }
        }
        let unknown = Error { message: UNKNOWN.into(), ..led_elsewhere };
        for waiter in self.pending.into_waiters() {
            effects.push(Effect::Reply { origin: waiter.origin, answer: Err(unknown.clone()) });
        }
    }
}

/// What becomes of a request on which nothing was decided.
fn sent_on(request: Request, heir: Option<NodeId>, led_elsewhere: &Error) -> Effect {
    match heir {
        Some(to) if Mutant::ForwardsWithoutId.is_on() => {
            Effect::Forward { to, request: Request { id: None, ..request } }
        }
        Some(to) => Effect::Forward { to, request },
        None => Effect::Reply { origin: request.origin, answer: Err(led_elsewhere.clone()) },
    }
}
