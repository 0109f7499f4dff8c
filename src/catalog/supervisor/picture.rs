//! What a catalogue means to the supervisor.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use crate::{
    catalog::{Catalogue, Configuration, Member},
    topology::Move,
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
    /// Worked out when it is asked for first, which nobody but a leader does.
    moves: OnceLock<Vec<(PartitionId, Move)>>,
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
                && !is_being_handed_over(&catalogue, held)
        });
        lacking.sort_by_key(|partition| catalogue.configuration(*partition).map(|held| held.in_sync.len()));
        let orphaned = choose(&|held| {
            !held.is_lost()
                && !held.in_sync.iter().any(|replica| catalogue.is_up(replica.node))
                && held.eligible.iter().any(|replica| catalogue.is_up(replica.node))
        });
        Picture { sole, lacking, orphaned, moves: OnceLock::new(), catalogue }
    }

    /// What is to be done next on the way to balance.
    pub(super) fn moves(&self) -> &[(PartitionId, Move)] {
        self.moves.get_or_init(|| self.catalogue.moves())
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

/// Whether its primary is about to change, who would begin every fill anew. With too few in sync it cannot.
pub(super) fn is_being_handed_over(catalogue: &Catalogue, held: &Configuration) -> bool {
    held.successor.is_some() && held.in_sync.len() >= usize::from(catalogue.min_in_sync)
}
