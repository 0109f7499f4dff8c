//! The way to one node.

use std::collections::VecDeque;

use crate::types::NodeId;

/// Names a link of a session. A node that is gone leaves its link's id to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub usize);

/// The way to one node.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) node: NodeId,
    /// Whether there is a stream on which the node has answered `hello`.
    pub(super) is_open: bool,
    /// Tags, in the order in which they leave.
    pub(super) queue: VecDeque<u32>,
    /// When the node was last heard.
    pub(super) heard_us: u64,
    /// Since when the node owes an answer that another has to give by now.
    pub(super) doubted_us: Option<u64>,
    /// Its stream broke not long ago: until when another, or news, are waited for.
    pub(super) missed_until_us: Option<u64>,
}

impl Link {
    pub(super) fn to(node: NodeId) -> Self {
        Link {
            node,
            is_open: false,
            queue: VecDeque::new(),
            heard_us: 0,
            doubted_us: None,
            missed_until_us: None,
        }
    }
}
