//! A subscriber of a map, in all its partitions: a stream from each primary, resumed from its token when that breaks.

use embergrid::feed::{Start, SubscriberId, Token, TokenKey};
use embergrid::types::{Incarnation, MapId, NodeId, PartitionId, Position};

use super::oracle::History;
use super::oracle::feeds::{About, Follower};

/// Events that it takes before it has to be asked.
pub(crate) const CREDITS: u32 = 4;
const CLUSTER: u64 = 9;

/// One stream. What is sent on it arrives in order, or not at all.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) id: SubscriberId,
    pub(crate) node: NodeId,
    pub(crate) incarnation: Incarnation,
    /// The last message arrives then.
    pub(crate) arrives_us: u64,
}

/// One subscriber.
pub(crate) struct Subscriber {
    pub(crate) about: About,
    pub(crate) followers: Vec<Follower>,
    pub(crate) links: Vec<Option<Link>>,
    /// By partition: the node whose stream broke last.
    pub(crate) left: Vec<Option<NodeId>>,
    /// Where it takes the primaries to be.
    pub(crate) places: Vec<NodeId>,
}

impl Subscriber {
    /// One that begins with the rows as they are.
    pub(crate) fn new(about: About, partitions: u16) -> Self {
        Self::beginning(about, partitions, Follower::default)
    }

    /// One that begins with the next change.
    pub(crate) fn from_now(about: About, partitions: u16) -> Self {
        Self::beginning(about, partitions, Follower::from_now)
    }

    fn beginning(about: About, partitions: u16, follower: fn() -> Follower) -> Self {
        let partitions = usize::from(partitions);
        Subscriber {
            about,
            followers: (0..partitions).map(|_| follower()).collect(),
            links: vec![None; partitions],
            left: vec![None; partitions],
            places: vec![NodeId(1); partitions],
        }
    }

    pub(crate) fn link(&mut self, partition: PartitionId) -> &mut Option<Link> {
        &mut self.links[usize::from(partition.0)]
    }

    pub(crate) fn follower(&mut self, partition: PartitionId) -> &mut Follower {
        &mut self.followers[usize::from(partition.0)]
    }

    /// Where a partition goes on: at the place in the token, if there is one.
    pub(crate) fn resume(&mut self, partition: PartitionId, map: MapId, history: &History) -> Start {
        let places: Option<Vec<Position>> = self.followers.iter().map(Follower::place).collect();
        if let Some(positions) = places {
            let key = TokenKey::derive(CLUSTER, b"secret");
            let text = Token { cluster: CLUSTER, map, filter: 0, positions }.encode(&key);
            let token = Token::decode(&text, &key).expect("a token reads what it wrote");
            return Start::After(token.positions[usize::from(partition.0)]);
        }
        self.follower(partition).resume(history)
    }
}
