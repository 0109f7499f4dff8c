//! Who was heard when.

use std::collections::BTreeMap;

use super::{Beacon, Settings};
use crate::{
    catalog::{Catalogue, Member},
    mutant::Mutant,
    types::{Incarnation, NodeId},
};

/// The ages of beacons, of members alone: nobody else takes room.
#[derive(Debug)]
pub(super) struct Ages {
    failure_timeout_us: u64,
    heard: BTreeMap<NodeId, Heard>,
    last_input_us: u64,
    /// Since when nothing can have been missed: who sleeps hears nobody.
    awake_since_us: u64,
}

/// What is known of one start of a node.
#[derive(Clone, Copy, Debug)]
struct Heard {
    incarnation: Incarnation,
    /// When a sign of it came last: a beacon, or its start in the catalogue.
    at_us: u64,
    /// Since when it was never silent for too long, nor taken to be down: one that says goodbye was heard until then, and its
    /// last beacons may still arrive.
    steady_since_us: u64,
    is_up: bool,
    /// The last one that counts.
    beacon: Option<Received>,
    /// When any beacon came last, whether its sender hears this node or not.
    any_us: u64,
}

/// The last beacon of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) beacon: Beacon,
    pub(super) at_us: u64,
}

impl Ages {
    pub(super) fn new(settings: &Settings) -> Self {
        Ages {
            failure_timeout_us: settings.failure_timeout_us,
            heard: BTreeMap::new(),
            last_input_us: 0,
            awake_since_us: 0,
        }
    }

    /// Notes that this node is running. If it was not for long, it must not take its own silence for that of others.
    pub(super) fn watch(&mut self, now_us: u64) {
        let has_slept = now_us.saturating_sub(self.last_input_us) > self.failure_timeout_us / 2;
        if has_slept && !Mutant::BlamesOthers.is_on() {
            self.awake_since_us = now_us;
        }
        self.last_input_us = now_us;
    }

    pub(super) fn last_input_us(&self) -> u64 {
        self.last_input_us
    }

    pub(super) fn beacon(&mut self, now_us: u64, beacon: &Beacon) {
        let Some(heard) = self.heard.get_mut(&beacon.from) else { return };
        if beacon.incarnation < heard.incarnation {
            return;
        }
        heard.any_us = now_us;
        if !beacon.hears_you {
            return;
        }
        let is_back = now_us.saturating_sub(heard.at_us) >= self.failure_timeout_us;
        if is_back || beacon.incarnation != heard.incarnation || heard.beacon.is_none() {
            heard.steady_since_us = now_us;
        }
        heard.incarnation = beacon.incarnation;
        heard.at_us = now_us;
        heard.beacon = Some(Received { beacon: *beacon, at_us: now_us });
    }

    /// Keeps to the members. A start is a sign of the node.
    pub(super) fn follow(&mut self, now_us: u64, catalogue: &Catalogue) {
        self.heard.retain(|node, _| catalogue.member(*node).is_some());
        for member in catalogue.members() {
            let incarnation = member.incarnation;
            let is_up = member.is_up();
            let started = Heard {
                incarnation,
                at_us: now_us,
                steady_since_us: now_us,
                is_up,
                beacon: None,
                any_us: now_us,
            };
            let heard = self.heard.entry(member.node.id).or_insert(started);
            if heard.incarnation < incarnation {
                *heard = started;
            }
            if std::mem::replace(&mut heard.is_up, is_up) && !is_up {
                heard.steady_since_us = now_us;
            }
        }
    }

    /// When a node counts as silent if nothing more comes from it. One that has not been heard yet is given time from
    /// the leader's first moment.
    pub(super) fn silent_at(&self, member: &Member, leading_since_us: u64) -> u64 {
        let since_us = match self.heard.get(&member.node.id) {
            Some(Heard { beacon: Some(_), at_us, .. }) => *at_us,
            Some(Heard { at_us, .. }) => leading_since_us.max(*at_us),
            None => leading_since_us,
        };
        since_us.max(self.awake_since_us).saturating_add(self.failure_timeout_us)
    }

    /// Whether any beacon of a node came within the failure timeout.
    pub(super) fn hears(&self, now_us: u64, node: NodeId) -> bool {
        let heard = self.heard.get(&node);
        heard.is_some_and(|heard| now_us < heard.any_us.saturating_add(self.failure_timeout_us))
    }

    /// Whether a node has been heard for a whole failure timeout, and is heard now.
    pub(super) fn is_steady(&self, now_us: u64, member: &Member) -> bool {
        self.heard.get(&member.node.id).is_some_and(|heard| {
            heard.incarnation == member.incarnation
                && heard.beacon.is_some()
                && now_us - heard.at_us < self.failure_timeout_us
                && heard.at_us.saturating_sub(heard.steady_since_us) >= self.failure_timeout_us
        })
    }

    /// The last beacon from this start of a node.
    pub(super) fn last_beacon(&self, member: &Member) -> Option<Received> {
        self.heard
            .get(&member.node.id)
            .and_then(|heard| heard.beacon)
            .filter(|received| received.beacon.incarnation == member.incarnation)
    }
}
