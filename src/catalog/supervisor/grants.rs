//! Leases for those who hold a partition alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, Grant, View, ages::Received};
use crate::{mutant::Mutant, types::NodeId};

/// What was granted, and the confirmation that the next grants wait for.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// When the last beacon that was answered with a grant was received.
    granted_us: BTreeMap<NodeId, u64>,
    confirmation: Option<Confirmation>,
    paused_until_us: u64,
}

/// A quorum is being asked. A grant needs one that was asked after its beacon came.
#[derive(Debug)]
struct Confirmation {
    round: u64,
    until_us: u64,
    /// What came before.
    beacons: Vec<Received>,
}

impl Grants {
    /// Asks for a confirmation if a beacon waits for one.
    pub(super) fn ask(
        &mut self,
        view: &View<'_>,
        moving: &BTreeSet<NodeId>,
        next: &mut u64,
        effects: &mut Vec<Effect>,
    ) {
        if self.confirmation.as_ref().is_some_and(|confirmation| confirmation.until_us <= view.now_us) {
            self.confirmation = None;
        }
        if self.confirmation.is_some() || view.now_us < self.paused_until_us {
            return;
        }
        let beacons: Vec<Received> = view
            .picture
            .sole
            .iter()
            .filter(|node| !moving.contains(node) || Mutant::GrantsWhileMoving.is_on())
            .filter_map(|node| view.ages.last_beacon(view.picture.catalogue().member(*node)?))
            .filter(|received| self.is_worth_a_grant(view, received))
            .collect();
        if beacons.is_empty() {
            return;
        }
        let round = *next;
        *next += 1;
        let until_us = view.now_us.saturating_add(view.settings.answer_timeout_us);
        self.confirmation = Some(Confirmation { round, until_us, beacons });
        effects.push(Effect::Confirm { round });
    }

    /// A beacon that was answered already, or whose lease would be over, is not.
    fn is_worth_a_grant(&self, view: &View<'_>, received: &Received) -> bool {
        let granted_us = self.granted_us.get(&received.beacon.from);
        granted_us.is_none_or(|granted_us| *granted_us < received.at_us)
            && view.now_us < received.at_us.saturating_add(view.settings.lease_us)
    }

    /// Ends a confirmation: the beacons that it covers, if it succeeded.
    pub(super) fn confirmed(&mut self, view: &View<'_>, round: u64, confirmed: bool) -> Vec<Received> {
        let Some(confirmation) = self.confirmation.take_if(|confirmation| confirmation.round == round) else {
            return Vec::new();
        };
        if !confirmed && !Mutant::GrantsUnconfirmed.is_on() {
            self.paused_until_us = view.now_us.saturating_add(view.settings.retry_us);
            return Vec::new();
        }
        confirmation.beacons
    }

    /// Answers a beacon with a lease.
    pub(super) fn grant(&mut self, view: &View<'_>, received: &Received, effects: &mut Vec<Effect>) {
        let beacon = received.beacon;
        self.granted_us.insert(beacon.from, received.at_us);
        effects.push(Effect::Grant(Grant {
            to: beacon.from,
            incarnation: beacon.incarnation,
            sent_us: beacon.sent_us,
            placement: view.picture.catalogue().placement,
        }));
    }

    /// Whether the last lease of a node is over.
    pub(super) fn is_over(&self, view: &View<'_>, node: NodeId) -> bool {
        let granted_us = self.granted_us.get(&node).filter(|_| !Mutant::MovesBeforeGrantEnds.is_on());
        granted_us.is_none_or(|granted_us| granted_us.saturating_add(view.settings.grant_us) <= view.now_us)
    }
}
