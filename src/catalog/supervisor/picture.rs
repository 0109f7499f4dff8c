//! What a catalogue means to the supervisor.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    catalog::{Catalogue, Configuration, Member},
    types::{NodeId, PartitionId},
};

/// A catalogue, and what there is to do in it: worked out once, since it is looked at with every beacon.
#[derive(Debug, Default)]
pub(super) struct Picture {
    catalogue: Arc<Catalogue>,
    /// Nodes that hold a partition alone.
    pub(super) sole: BTreeSet<NodeId>,
    /// Partitions that have too few replicas and a primary to fill one from; those with the fewest in sync first.
    pub(super) lacking: Vec<PartitionId>,
    /// Partitions whose holders are all down while another may be promoted.
    pub(super) orphaned: Vec<PartitionId>,
}

impl Picture {
    pub(super) fn of(catalogue: Arc<Catalogue>) -> Self {
        let held = || (0..).map(PartitionId).zip(catalogue.configurations());
        let choose = |is_chosen: &dyn Fn(&Configuration) -> bool| -> Vec<PartitionId> {
            held().filter(|(_, held)| is_chosen(held)).map(|(partition, _)| partition).collect()
        };
        let sole = held().filter_map(|(_, held)| held.sole_node()).collect();
        let mut lacking = choose(&|held| {
            held.in_sync.len() + held.learners.len() < catalogue.replicas_wanted()
                && catalogue.has_primary_up(held)
        });
        lacking.sort_by_key(|partition| catalogue.configuration(*partition).map(|held| held.in_sync.len()));
        let orphaned = choose(&|held| {
            !held.is_lost()
                && !held.in_sync.iter().any(|replica| catalogue.is_up(replica.node))
                && held.eligible.iter().any(|replica| catalogue.is_up(replica.node))
        });
        Picture { sole, lacking, orphaned, catalogue }
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn is_newer(&self, catalogue: &Catalogue) -> bool {
        catalogue.placement > self.catalogue.placement
    }

    /// The members that are up, but for `me`.
    pub(super) fn others_up(&self, me: NodeId) -> impl Iterator<Item = &Member> {
        self.catalogue.members().filter(move |member| member.node.id != me && member.is_up())
    }
}
