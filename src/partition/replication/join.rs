//! Proposals: the way of a learner, or of an eligible replica (protocol rule 4), into the in-sync set (rule 2), and
//! reports of silent replicas (rule 3).
//!
//! A proposal's outcome is known when the epoch has moved on, for it is a compare-and-set on the epoch; or when every
//! copy of it was refused. Until then the learner counts as if it were in: commits and leases need it. Nothing
//! changes for a replica whose removal is proposed: it counts until it is gone.
//!
//! Only a replica that has granted a lease is proposed, for whoever is admitted may be promoted: it waits out its own grant
//! then, which is later than whatever the primary itself may have granted the one before it and be waiting for still.

use super::Standing;
use crate::{
    catalog::Step,
    mutant::Mutant,
    partition::{Effect, core::Primary},
    types::{Epoch, JoinId},
};

/// Entries that a learner may lack when it begins to join: commits wait until it has them.
const JOINING_LAG: u64 = 1_024;
/// How many times the failure timeout a learner rests that could not join.
const REST: u64 = 4;

/// A change of the configuration that a primary asks the control group for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proposal {
    /// The replica has everything: it becomes a member of the in-sync set.
    Admit {
        /// A filled learner, or an eligible replica.
        join: JoinId,
    },
    /// The replica is silent, or of no use: it is removed.
    Remove {
        /// The replica.
        join: JoinId,
    },
    /// The backup that is appointed becomes the primary in this one's place.
    HandOver {
        /// The backup.
        join: JoinId,
    },
    /// The replica holds other rows than most: it is removed for good.
    Expel {
        /// The backup.
        join: JoinId,
    },
}

impl Proposal {
    /// The step that the control group is asked for.
    pub fn step(self) -> Step {
        match self {
            Proposal::Admit { join } => Step::Admit { join },
            Proposal::Remove { join } => Step::Remove { join },
            Proposal::HandOver { join } => Step::HandOver { join },
            Proposal::Expel { join } => Step::Expel { join },
        }
    }
}

impl Primary<'_> {
    /// Proposes what is to be proposed by now.
    pub(in crate::partition) fn propose_changes(&mut self, effects: &mut Vec<Effect>) {
        for index in 0..self.tenure.peers.all.len() {
            self.join(index, effects);
            self.report(index, effects);
        }
    }

    fn join(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let (now_us, timing) = (self.site.now.mono_us, &self.site.timing);
        let (committed, end) = (self.ledger.committed().seq, self.ledger.end().seq);
        let is_busy = self.tenure.peers.is_one_joining() || self.is_handing_over();
        let peer = &mut self.tenure.peers.all[index];
        match &mut peer.standing {
            Standing::Filled { rest_until_us } => {
                let is_heard = peer.is_confirmed && peer.lease_until_us > now_us;
                let may = *rest_until_us <= now_us && !is_busy && is_heard;
                if may && end.0.saturating_sub(peer.acked.0) <= JOINING_LAG {
                    peer.standing = Standing::Joining { since_us: now_us };
                    self.join(index, effects);
                }
            }
            Standing::Joining { since_us } => {
                let has_all = peer.acked >= committed || Mutant::AdmitsBehind.is_on();
                if has_all && peer.lease_until_us > now_us {
                    let again_us = now_us.saturating_add(timing.proposal_us);
                    let join = peer.replica.join;
                    peer.standing = Standing::Proposed { open: 1, again_us };
                    self.propose(Proposal::Admit { join }, effects);
                    self.renew_lease();
                } else if since_us.saturating_add(timing.failure_us) <= now_us {
                    // Nothing is proposed: commits need not wait for it.
                    self.rest(index, effects);
                }
            }
            Standing::Proposed { open, again_us } => {
                if *again_us <= now_us && Mutant::TakesSilenceForRefusal.is_on() {
                    self.rest(index, effects);
                } else if *again_us <= now_us {
                    *open += 1;
                    *again_us = now_us.saturating_add(timing.proposal_us);
                    let join = peer.replica.join;
                    self.propose(Proposal::Admit { join }, effects);
                }
            }
            Standing::InSync | Standing::Filling(_) => {}
        }
    }

    fn rest(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let rest_us = self.site.timing.failure_us.saturating_mul(REST);
        let rest_until_us = self.site.now.mono_us.saturating_add(rest_us);
        self.tenure.peers.all[index].standing = Standing::Filled { rest_until_us };
        self.renew_lease();
        self.advance(effects);
    }

    fn report(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let peer = &mut self.tenure.peers.all[index];
        if peer.is_hung(self.site.now.mono_us, &self.site.timing) {
            let join = peer.replica.join;
            if Mutant::RemovesAtProposal.is_on() {
                peer.standing = Standing::Filled { rest_until_us: u64::MAX };
            }
            self.propose(Proposal::Remove { join }, effects);
        }
    }

    /// A learner cannot go on: its successor begins anew.
    pub(in crate::partition) fn give_up(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let peer = &mut self.tenure.peers.all[index];
        if peer.may_report(self.site.now.mono_us, &self.site.timing) {
            let join = peer.replica.join;
            self.propose(Proposal::Remove { join }, effects);
        }
    }

    /// One copy of what was proposed in this epoch for a replica will never take effect.
    pub(in crate::partition) fn handle_refusal(
        &mut self,
        epoch: Epoch,
        join: JoinId,
        effects: &mut Vec<Effect>,
    ) {
        if epoch != self.site.configuration.epoch {
            return;
        }
        if self.site.configuration.successor == Some(join) {
            return self.handle_refused_hand_over(effects);
        }
        let mut peers = self.tenure.peers.all.iter_mut();
        let Some(index) = peers.position(|peer| peer.replica.join == join) else { return };
        if let Standing::Proposed { open, .. } = &mut self.tenure.peers.all[index].standing {
            *open -= 1;
            if *open == 0 {
                self.rest(index, effects);
            }
        }
    }

    pub(super) fn propose(&self, change: Proposal, effects: &mut Vec<Effect>) {
        let crate::catalog::Configuration { generation, epoch, .. } = *self.site.configuration;
        effects.push(Effect::Propose { partition: self.site.partition, generation, epoch, change });
    }
}
