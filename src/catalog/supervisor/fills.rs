//! Where replicas are missing, and who is to be filled.

use std::collections::BTreeMap;

use super::View;
use crate::{
    catalog::{ConfigurationChange, Step},
    types::NodeId,
};

/// The learners to add now: so many that no node is filled with more, or fills more, at one time than it may.
///
/// All that is missing is planned, and what has no room yet is left for later: a node that has just joined gets its
/// share even though others could be filled sooner.
pub(super) fn due(view: &View<'_>) -> Vec<ConfigurationChange> {
    let catalogue = view.picture.catalogue();
    if view.picture.lacking.is_empty() {
        return Vec::new();
    }
    let mut loads = catalogue.loads(view.present.iter().copied());
    let mut room = Room::of(view);
    let mut changes = Vec::new();
    for partition in &view.picture.lacking {
        let Some(configuration) = catalogue.configuration(*partition) else { continue };
        let Some(primary) = configuration.primary_node().filter(|node| view.present.contains(node)) else {
            continue;
        };
        let is_holder = |node| configuration.replica_at(node).is_some();
        let Some(node) = loads.next_replica(primary, is_holder) else { continue };
        loads.add_replica(primary, node);
        if room.take(primary, node) {
            changes.push(ConfigurationChange {
                partition: *partition,
                generation: configuration.generation,
                epoch: configuration.epoch,
                step: Step::AddLearner { node },
            });
        }
    }
    changes
}

/// How many fills each node takes part in, on either side.
struct Room {
    filling: BTreeMap<NodeId, usize>,
    filled: BTreeMap<NodeId, usize>,
    most: usize,
}

impl Room {
    fn of(view: &View<'_>) -> Self {
        let mut room =
            Room { filling: BTreeMap::new(), filled: BTreeMap::new(), most: view.settings.fills_per_node };
        for configuration in view.picture.catalogue().configurations() {
            let Some(primary) = configuration.primary_node() else { continue };
            configuration.learners.iter().for_each(|learner| room.add(primary, learner.node));
        }
        room
    }

    fn add(&mut self, from: NodeId, to: NodeId) {
        *self.filling.entry(from).or_default() += 1;
        *self.filled.entry(to).or_default() += 1;
    }

    fn take(&mut self, from: NodeId, to: NodeId) -> bool {
        let count = |side: &BTreeMap<NodeId, usize>, node| side.get(&node).copied().unwrap_or_default();
        let fits = count(&self.filling, from) < self.most && count(&self.filled, to) < self.most;
        if fits {
            self.add(from, to);
        }
        fits
    }
}
