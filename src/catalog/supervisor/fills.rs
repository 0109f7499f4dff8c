//! Where replicas are missing, and who is to be filled.

use super::{View, room::Room};
use crate::catalog::{ConfigurationChange, Step};

/// The learners to add now: so many that no node is filled with more, or fills more, at one time than it may.
///
/// All that is missing is planned, and what has no room yet is left for later: a node that has just joined gets its
/// share even though others could be filled sooner.
pub(super) fn due(view: &View<'_>, room: &mut Room) -> Vec<ConfigurationChange> {
    let catalogue = view.picture.catalogue();
    if view.picture.lacking.is_empty() {
        return Vec::new();
    }
    let staying = catalogue.staying();
    let mut loads = catalogue.loads(view.present.intersection(&staying).copied());
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
            changes.push(configuration.change(*partition, Step::AddLearner { node }));
        }
    }
    changes
}
