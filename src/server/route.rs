//! Where an operation goes.

use crate::{
    node::Primaries,
    types::{NodeId, PartitionId},
};

/// Where an operation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// This node has the partition's primary.
    Here,
    /// Another node has.
    At(NodeId),
    /// The partition is lost.
    Nowhere,
}

impl Route {
    /// The way to a partition's primary.
    pub(super) fn to(partition: PartitionId, primaries: &Primaries, me: NodeId) -> Route {
        match primaries.node(partition) {
            Some(node) if node == me => Route::Here,
            Some(node) => Route::At(node),
            None => Route::Nowhere,
        }
    }
}
