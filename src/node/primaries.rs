//! Which node is the primary of each partition, as this node last heard.

use crate::{
    catalog::Catalogue,
    types::{Class, Error, NodeId, PartitionId, PlacementVersion},
};

/// The primaries' nodes, as of one version of the placement.
#[derive(Debug, Default)]
pub struct Primaries {
    placement: PlacementVersion,
    /// By partition; none where the rows are lost.
    nodes: Vec<Option<NodeId>>,
}

impl Primaries {
    /// What the catalogue says.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let nodes = catalogue.configurations().iter().map(|held| held.primary_node()).collect();
        Primaries { placement: catalogue.placement, nodes }
    }

    /// The version of the placement.
    pub fn placement(&self) -> PlacementVersion {
        self.placement
    }

    /// The node of the partition's primary; none if the partition is lost.
    pub fn node(&self, partition: PartitionId) -> Option<NodeId> {
        self.nodes.get(usize::from(partition.0)).copied().flatten()
    }
}

impl Primaries {
    /// The refusal of whoever asks here for a partition of which this node is not the primary.
    pub fn elsewhere(partition: PartitionId, primary: Option<NodeId>) -> Error {
        match primary {
            Some(node) => {
                Error::new(Class::NotPrimary, format!("partition {partition} has its primary elsewhere"))
                    .hint(format!("it is on node {:016x}", node.0))
            }
            None => Error::unavailable(format!("partition {partition} is lost: nobody has its rows"))
                .hint("`embergrid cluster status` shows it, `embergrid cluster reset-lost` begins it anew"),
        }
    }
}
