//! A node leaves all partitions at once, and others take its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    catalog::{Catalogue, Configuration, Replica},
    mutant::Mutant,
    topology::share,
    types::NodeId,
};

/// Why a node leaves.
#[derive(Clone, Copy)]
pub(super) enum Departure {
    /// It may have its rows still.
    Silent,
    /// It has none.
    Restarted,
}

/// Takes a node out of all partitions. Where it was primary another takes over, so that primaries are spread as evenly
/// over the nodes as the in-sync sets allow.
pub(super) fn depart(catalogue: &mut Catalogue, node: NodeId, why: Departure) {
    let min_in_sync = usize::from(catalogue.min_in_sync);
    let (up, staying) = (catalogue.up(), catalogue.staying());
    let (mut bereft, mut heirs) = (Vec::new(), Vec::new());
    let mut primaries: BTreeMap<NodeId, usize> = BTreeMap::new();
    let configurations = Arc::make_mut(&mut catalogue.configurations);
    for (partition, configuration) in configurations.iter_mut().enumerate() {
        let left = match why {
            Departure::Silent => silence(configuration, node, min_in_sync),
            Departure::Restarted => forget(configuration, node),
        };
        if left {
            configuration.begin_epoch();
        }
        if let Some(primary) = configuration.primary_node() {
            *primaries.entry(primary).or_default() += 1;
        } else if configuration.replicas().next().is_some() {
            bereft.push(partition);
            heirs.push(successors(configuration, &up, &staying));
        }
    }
    let chosen = share(&mut primaries, &heirs);
    for (partition, heir) in bereft.into_iter().zip(chosen) {
        if let Some(heir) = heir {
            configurations[partition].promote(heir);
        }
    }
}

/// Takes out a silent node; whether anything changed.
fn silence(configuration: &mut Configuration, node: NodeId, min_in_sync: usize) -> bool {
    let learners = configuration.learners.len();
    configuration.learners.retain(|learner| learner.node != node);
    let left = configuration.learners.len() != learners;
    // A sole holder stays: nobody else has the rows for certain.
    let in_sync = configuration.in_sync.iter().find(|replica| replica.node == node);
    match in_sync.copied() {
        Some(_) if configuration.in_sync.len() == 1 && Mutant::SilentIsLost.is_on() => {
            configuration.lose();
            true
        }
        Some(replica) if configuration.in_sync.len() > 1 => {
            configuration.take_out(replica.join, min_in_sync);
            true
        }
        _ => left,
    }
}

/// Takes out a node that has restarted; whether anything changed.
fn forget(configuration: &mut Configuration, node: NodeId) -> bool {
    let is_sole = configuration.sole_node() == Some(node);
    let fault = if is_sole { Mutant::LostIsEmpty } else { Mutant::CountsRestarted };
    if fault.is_on() {
        return false;
    }
    let held = configuration.replica_at(node).is_some();
    let Configuration { in_sync, learners, eligible, .. } = &mut *configuration;
    for role in [in_sync, learners, eligible] {
        role.retain(|replica| replica.node != node);
    }
    if configuration.in_sync.is_empty() && configuration.eligible.is_empty() {
        configuration.lose();
    }
    held
}

/// Who may become primary: those in sync; if there are none, those that are eligible. Of these the ones that stay if any
/// does, or else those that are heard.
fn successors(
    configuration: &Configuration,
    up: &BTreeSet<NodeId>,
    staying: &BTreeSet<NodeId>,
) -> Vec<NodeId> {
    let Configuration { in_sync, eligible, .. } = configuration;
    let replicas: &[Replica] = if in_sync.is_empty() { eligible } else { in_sync };
    let all: Vec<NodeId> = replicas.iter().map(|replica| replica.node).collect();
    let among = |nodes: &BTreeSet<NodeId>| {
        let found: Vec<NodeId> = all.iter().copied().filter(|node| nodes.contains(node)).collect();
        (!found.is_empty()).then_some(found)
    };
    among(if Mutant::PromotesDraining.is_on() { up } else { staying }).or_else(|| among(up)).unwrap_or(all)
}
