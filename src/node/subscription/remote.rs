//! The calls by which nodes read each other's feeds.
//!
//! The node of the subscriber asks again and again for what has come ([`Poll`]); an answer is held back until something
//! has. So every loss shows as a call that failed, and then all parts are opened anew, each after the last position that
//! arrived.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{lent, queue::Item};
use crate::{
    feed::Start,
    net::{Call, Net},
    node::grid::Grid,
    types::{MapId, PartitionId},
};

/// How long an answer is held back while nothing comes.
pub(super) const HOLD: Duration = Duration::from_secs(1);
/// How long to wait for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// About how many bytes one answer has at most.
pub(super) const ANSWER_BYTES: usize = 1 << 20;

/// A reading on behalf of a subscription, as another node is told of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct What {
    /// Unique among all that the asking node ever has.
    pub(super) subscriber: u64,
    pub(super) map: MapId,
    pub(super) condition: Option<String>,
}

/// A part to be opened.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) partition: PartitionId,
    pub(super) start: Start,
    pub(super) credits: u32,
}

/// Opens parts, gives credits, or ends it all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) what: What,
    pub(super) opens: Vec<Opening>,
    pub(super) credits: Vec<(PartitionId, u32)>,
    pub(super) is_over: bool,
}

impl Call for Change {
    const NAME: &'static str = "feed.change";
    type Answer = ();
}

/// Asks for what has come.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Poll {
    pub(super) subscriber: u64,
}

impl Call for Poll {
    const NAME: &'static str = "feed.poll";
    type Answer = Vec<(PartitionId, Item)>;
}

/// Lets other nodes read this one's feeds from now on.
pub(in crate::node) fn answer(grid: &Grid, net: &Net) {
    let node = grid.downgrade();
    net.answer(move |from, change: Change| {
        let node = node.upgrade();
        async move { lent::change(&node?, from.node, change) }
    });
    let node = grid.downgrade();
    net.answer(move |from, Poll { subscriber }| {
        let node = node.upgrade();
        async move { lent::poll(node?, from.node, subscriber).await }
    });
}
