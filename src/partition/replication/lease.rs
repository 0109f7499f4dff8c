//! The right to serve (protocol rules 13 to 15): a primary asks every replica that could be promoted in its place
//! not to be, for a while; and it serves only while all have agreed.

use super::{Body, Phase, handover::HandOver};
use crate::{
    mutant::Mutant,
    partition::{Effect, core::Primary, site::Site},
};

/// Beacons of all partitions go out at the same moments, so that one packet carries those to one node.
pub(super) fn next_moment_us(now_us: u64, every_us: u64) -> u64 {
    let every_us = every_us.max(1);
    (now_us / every_us).saturating_add(1).saturating_mul(every_us)
}

impl Site {
    /// Answers a beacon: from now on this replica waits before it is promoted.
    pub(in crate::partition) fn grant(&mut self, sent_us: u64, effects: &mut Vec<Effect>) {
        let until_us = self.now.mono_us.saturating_add(self.timing.grant_us());
        self.granted_until_us = self.granted_until_us.max(until_us);
        self.tell_primary(Body::Lease { sent_us }, effects);
    }
}

impl Primary<'_> {
    /// Asks everybody for a lease, if it is time to.
    pub(in crate::partition) fn beacon(&mut self, effects: &mut Vec<Effect>) {
        let now_us = self.site.now.mono_us;
        if self.tenure.beacon_at_us > now_us {
            return;
        }
        self.tenure.beacon_at_us = next_moment_us(now_us, self.site.timing.beacon_us);
        let body = Body::Beacon { sent_us: now_us, committed: self.ledger.committed().seq };
        for peer in self.tenure.peers.all.iter_mut().filter(|peer| peer.follows()) {
            peer.note_beacon(now_us);
            self.site.send(peer.replica, body.clone(), effects);
        }
    }

    /// Readers may read, and requests be admitted, for as long as everybody has agreed to it.
    pub(in crate::partition) fn renew_lease(&mut self) {
        let until_us = match self.tenure.phase {
            Phase::Serving | Phase::HandingOver(HandOver::Committing { .. }) => {
                self.tenure.peers.lease_until_us(self.site.control_lease_us)
            }
            Phase::HandingOver(_) if Mutant::KeepsLease.is_on() => return,
            Phase::TakingOver { .. } | Phase::HandingOver(HandOver::Proposed { .. }) => 0,
        };
        self.ledger.store.lease(until_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beacons_of_all_partitions_share_their_moments() {
        assert_eq!([0, 1, 99, 100, 250].map(|now_us| next_moment_us(now_us, 100)), [100, 100, 100, 200, 300]);
    }
}
