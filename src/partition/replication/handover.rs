//! Handing the primary's role to a backup (protocol rule 18).
//!
//! The supervisor appoints a successor; the primary hands over when it can: it gives out no more seqs and lets requests
//! wait, until all of its entries are committed, which the successor has acknowledged then. It releases its lease, and
//! only then proposes. The successor serves without waiting for the lease that it granted.
//!
//! That is safe because the holder, once it has proposed, neither commits nor may be read in this epoch again, unless no
//! copy of the proposal can take effect any more: each was refused, or the epoch has moved on, for the proposal is a
//! compare-and-set on the epoch. Where the outcome is not known, it proposes again, and waits. Whoever held a lease
//! before it does not any more either: it served, so it had waited for that, or was released from it in the same way.

use super::{Phase, Proposal, Standing};
use crate::{
    mutant::Mutant,
    partition::{Effect, core::Primary},
    types::JoinId,
};

/// How far a hand-over has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::partition) enum HandOver {
    /// No seq is given out. Nothing is proposed, so the primary may be read still.
    Committing {
        /// When it is given up.
        until_us: u64,
    },
    /// The lease is released, the hand-over proposed, and its outcome not known.
    Proposed {
        /// How many proposals may still take effect.
        open: u32,
        /// When to propose again.
        again_us: u64,
    },
}

impl HandOver {
    /// When to look at it again.
    pub(in crate::partition) fn next_us(self) -> u64 {
        match self {
            HandOver::Committing { until_us } => until_us,
            HandOver::Proposed { again_us, .. } => again_us,
        }
    }
}

impl Primary<'_> {
    /// Hands the role over if a successor is appointed, as far as that can be done now.
    pub(in crate::partition) fn hand_over(&mut self, effects: &mut Vec<Effect>) {
        let Some(to) = self.site.configuration.successor else { return };
        if self.may_hand_over(to) {
            let until_us = self.site.now.mono_us.saturating_add(self.site.timing.failure_us);
            self.tenure.phase = Phase::HandingOver(HandOver::Committing { until_us });
        }
        match self.tenure.phase {
            Phase::HandingOver(HandOver::Committing { until_us }) => self.release_role(to, until_us, effects),
            Phase::HandingOver(HandOver::Proposed { open, again_us })
                if again_us <= self.site.now.mono_us =>
            {
                if Mutant::TakesSilenceForRefusal.is_on() {
                    return self.keep_role(effects);
                }
                self.propose_hand_over(to, open + 1, effects);
            }
            _ => {}
        }
    }

    /// Whether it can be expected to succeed: everybody in sync answers, and nobody is on the way there.
    fn may_hand_over(&self, to: JoinId) -> bool {
        let now_us = self.site.now.mono_us;
        let peers = &self.tenure.peers;
        let mut in_sync = peers.all.iter().filter(|peer| matches!(peer.standing, Standing::InSync));
        self.is_serving()
            && self.tenure.keeps_role_until_us <= now_us
            && !peers.is_one_joining()
            && peers.commit_point(self.ledger.end().seq).is_some()
            && in_sync.clone().any(|peer| peer.replica.join == to)
            && in_sync.all(|peer| peer.is_prompt(now_us))
    }

    /// When all is committed, the lease ends, and then the hand-over is proposed.
    fn release_role(&mut self, to: JoinId, until_us: u64, effects: &mut Vec<Effect>) {
        let end = self.ledger.end().seq;
        let has_all = self.tenure.peers.find(to).is_some_and(|peer| peer.acked >= end);
        if self.ledger.tail.is_empty() && has_all || Mutant::HandsOverEarly.is_on() {
            self.propose_hand_over(to, 1, effects);
        } else if until_us <= self.site.now.mono_us {
            self.keep_role(effects);
        }
    }

    fn propose_hand_over(&mut self, to: JoinId, open: u32, effects: &mut Vec<Effect>) {
        let again_us = self.site.now.mono_us.saturating_add(self.site.timing.proposal_us);
        self.tenure.phase = Phase::HandingOver(HandOver::Proposed { open, again_us });
        self.renew_lease();
        self.propose(Proposal::HandOver { join: to }, effects);
    }

    /// One copy of what was proposed will never take effect.
    pub(in crate::partition) fn handle_refused_hand_over(&mut self, effects: &mut Vec<Effect>) {
        let Phase::HandingOver(HandOver::Proposed { open, .. }) = &mut self.tenure.phase else { return };
        *open -= 1;
        if *open == 0 {
            self.keep_role(effects);
        }
    }

    /// Nothing comes of the hand-over: this replica is the primary as before.
    pub(in crate::partition) fn keep_role(&mut self, effects: &mut Vec<Effect>) {
        self.tenure.phase = Phase::Serving;
        self.tenure.keeps_role_until_us = self.site.now.mono_us.saturating_add(self.site.timing.failure_us);
        self.renew_lease();
        self.cut_over(effects);
        self.end_sessions(effects);
        self.release(effects);
    }
}
