//! Nodes as the cluster knows them.

use serde::{Deserialize, Serialize};

use crate::types::{Incarnation, NodeId};

/// What a node says of itself when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Random at its first start, kept in its data folder.
    pub id: NodeId,
    /// What it is called in status and logs.
    pub name: String,
    /// Where clients reach it.
    pub address: String,
    /// Where peers reach it.
    pub peer_address: String,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What it said at its last start.
    pub node: Node,
    /// Which start that was, from 1.
    pub incarnation: Incarnation,
}
