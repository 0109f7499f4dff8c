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
    /// Whether it is heard.
    #[serde(default)]
    pub state: MemberState,
    /// Whether it is to be stopped: it gives what it holds to others, and gets nothing more.
    #[serde(default)]
    pub draining: bool,
}

/// Whether a node is heard, as the control group last decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// It is.
    #[default]
    Up,
    /// It was silent for too long. It may hold rows still.
    Down,
}

impl Member {
    /// A member that has just started.
    pub(super) fn started(node: &Node, incarnation: Incarnation) -> Self {
        Member { node: node.clone(), incarnation, state: MemberState::Up, draining: false }
    }

    /// Whether it is heard.
    pub fn is_up(&self) -> bool {
        self.state == MemberState::Up
    }
}
