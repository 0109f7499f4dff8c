//! How much is done with a node at one time.

use std::collections::BTreeMap;

use super::{View, picture::is_being_handed_over};
use crate::types::NodeId;

/// In how many fills and hand-overs each node takes part, on either side.
pub(super) struct Room {
    giving: BTreeMap<NodeId, usize>,
    taking: BTreeMap<NodeId, usize>,
    most: usize,
}

impl Room {
    /// What is left of it. A hand-over that stands still until replicas are filled must not take the room that they need.
    pub(super) fn of(view: &View<'_>) -> Self {
        let catalogue = view.picture.catalogue();
        let mut room =
            Room { giving: BTreeMap::new(), taking: BTreeMap::new(), most: view.settings.fills_per_node };
        for configuration in catalogue.configurations() {
            let Some(primary) = configuration.primary_node() else { continue };
            configuration.learners.iter().for_each(|learner| room.add(primary, learner.node));
            let successor =
                configuration.successor_node().filter(|_| is_being_handed_over(catalogue, configuration));
            successor.into_iter().for_each(|node| room.add(primary, node));
        }
        room
    }

    fn add(&mut self, from: NodeId, to: NodeId) {
        *self.giving.entry(from).or_default() += 1;
        *self.taking.entry(to).or_default() += 1;
    }

    /// Takes part in one more, if there is room on both sides.
    pub(super) fn take(&mut self, from: NodeId, to: NodeId) -> bool {
        let count = |side: &BTreeMap<NodeId, usize>, node| side.get(&node).copied().unwrap_or_default();
        let fits = count(&self.giving, from) < self.most && count(&self.taking, to) < self.most;
        if fits {
            self.add(from, to);
        }
        fits
    }
}
