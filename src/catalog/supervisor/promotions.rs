//! Who takes over from holders that are all silent.

use std::collections::{BTreeMap, BTreeSet};

use super::{View, grants::Grants};
use crate::{
    catalog::{Configuration, ConfigurationChange, Step},
    topology::share,
    types::{NodeId, PartitionId, Tenure},
};

/// The promotions for which nothing need be waited any more; `moving` becomes the nodes that they take a partition from.
pub(super) fn due(
    view: &View<'_>,
    tenure: Tenure,
    grants: &Grants,
    moving: &mut BTreeSet<NodeId>,
) -> Vec<ConfigurationChange> {
    let catalogue = view.picture.catalogue();
    let held = view.picture.orphaned.iter().filter_map(|partition| {
        let configuration = catalogue.configuration(*partition)?;
        is_free(view, grants, configuration).then_some((*partition, configuration))
    });
    let held: Vec<(PartitionId, &Configuration)> = held.collect();
    if held.is_empty() {
        return Vec::new();
    }
    let mut primaries: BTreeMap<NodeId, usize> = BTreeMap::new();
    let present = catalogue.configurations().iter().filter_map(Configuration::primary_node);
    for node in present.filter(|node| view.present.contains(node)) {
        *primaries.entry(node).or_default() += 1;
    }
    let choices: Vec<Vec<NodeId>> = held.iter().map(|(_, held)| heirs(view, held)).collect();
    let chosen = share(&mut primaries, &choices);
    let mut changes = Vec::new();
    for ((partition, configuration), heir) in held.into_iter().zip(chosen) {
        let Some(heir) = heir.and_then(|node| configuration.replica_at(node)) else { continue };
        moving.extend(configuration.in_sync.iter().map(|replica| replica.node));
        changes.push(configuration.change(partition, Step::Promote { join: heir.join, tenure }));
    }
    changes
}

/// Whether its holders are silent still, and have no lease any more.
fn is_free(view: &View<'_>, grants: &Grants, configuration: &Configuration) -> bool {
    configuration.in_sync.iter().all(|replica| {
        let member = view.picture.catalogue().member(replica.node);
        let is_heard = member.and_then(|member| view.ages.last_beacon(member)).is_some_and(|received| {
            view.now_us < received.at_us.saturating_add(view.settings.failure_timeout_us)
        });
        !is_heard && grants.is_over(view, replica.node)
    })
}

fn heirs(view: &View<'_>, configuration: &Configuration) -> Vec<NodeId> {
    let nodes = configuration.eligible.iter().map(|replica| replica.node);
    nodes.filter(|node| view.present.contains(node)).collect()
}
