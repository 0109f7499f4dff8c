//! What all parts of the control group share on one node.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    birth::Birth, blobs::Blobs, disk::Disk, leadership::Leadership, log::Log, patience::Patience, raft::Raft,
};
use crate::{
    catalog::{Catalogue, Command, Node},
    net::{Call, Net, Peer},
    types::{Error, NodeId, Result},
};

/// Decides whether a command may be proposed, at the leader and with no other in between.
#[derive(Clone)]
pub struct Admission(Arc<Judge>);

type Judge = dyn Fn(&Catalogue, &Command) -> Result<()> + Send + Sync;

impl Admission {
    /// Asks `judge` of every command that changes the metadata.
    pub fn new(judge: impl Fn(&Catalogue, &Command) -> Result<()> + Send + Sync + 'static) -> Self {
        Admission(Arc::new(judge))
    }

    pub(super) fn judge(&self, catalogue: &Catalogue, command: &Command) -> Result<()> {
        (self.0)(catalogue, command)
    }
}

impl Default for Admission {
    /// Leaves it to the catalogue.
    fn default() -> Self {
        Admission::new(|_, _| Ok(()))
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}

/// The control group on this node, as its tasks and the calls of its peers see it.
pub(super) struct Group {
    pub(super) me: Node,
    /// Tells this start of the node from others, before the control group has numbered it.
    pub(super) start: u64,
    pub(super) raft: Raft,
    pub(super) catalogue: watch::Receiver<Arc<Catalogue>>,
    pub(super) leadership: watch::Receiver<Leadership>,
    pub(super) blobs: Blobs,
    pub(super) disk: Arc<Disk>,
    pub(super) log: Log,
    pub(super) patience: Mutex<Patience>,
    pub(super) net: Option<Net>,
    pub(super) admission: Admission,
    /// The one cluster that this process belongs to from now on; zero for none yet.
    pub(super) cluster: Mutex<u64>,
    pub(super) birth: Mutex<Birth>,
    /// The starts of other nodes that were recorded as this node founded the cluster.
    pub(super) named: Mutex<BTreeMap<NodeId, u64>>,
    /// One judged command at a time.
    pub(super) admitting: tokio::sync::Mutex<()>,
    /// One change of the voters at a time.
    pub(super) membership: tokio::sync::Mutex<()>,
}

impl Group {
    /// The cluster; zero for none yet.
    pub(super) fn cluster(&self) -> u64 {
        *self.cluster.lock()
    }

    /// From now on this process belongs to that cluster, and to no other.
    pub(super) fn settle(&self, cluster: u64) -> bool {
        let mut settled = self.cluster.lock();
        if *settled == 0 {
            *settled = cluster;
        }
        *settled == cluster
    }

    /// The catalogue as last published.
    pub(super) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.borrow())
    }

    /// Whether this node leads, as far as it knows.
    pub(super) fn leads(&self) -> bool {
        self.leadership.borrow().is_me
    }

    /// The leader, as far as this node knows.
    pub(super) fn leader(&self) -> Option<NodeId> {
        self.leadership.borrow().leader
    }

    /// Refuses who is not of the same cluster: what a stranger says must not get into the log.
    pub(super) fn belongs(&self, from: Peer) -> Result<()> {
        let cluster = self.cluster();
        if cluster != 0 && from.cluster == cluster {
            return Ok(());
        }
        Err(Error::conflict(format!(
            "node {} does not belong to the cluster of node {}",
            from.node, self.me.id
        )))
    }

    /// The nodes that this one can talk to at this moment, with the clusters they belong to.
    pub(super) fn seen(&self) -> BTreeMap<NodeId, u64> {
        let Some(net) = &self.net else { return BTreeMap::new() };
        let seen = Arc::clone(&net.seen().borrow());
        seen.iter().map(|(node, seen)| (*node, seen.peer.cluster)).collect()
    }

    /// Where the nodes of the cluster are reached, as far as it is known: by the catalogue, or by themselves.
    pub(super) fn addresses(&self) -> BTreeMap<NodeId, String> {
        let cluster = self.cluster();
        let membership = Arc::clone(&self.raft.metrics().borrow().membership_config);
        let mut known: BTreeMap<NodeId, String> =
            membership.nodes().map(|(node, place)| (NodeId(*node), place.addr.clone())).collect();
        if let Some(net) = &self.net {
            let seen = Arc::clone(&net.seen().borrow());
            let fellows = seen.iter().filter(|(_, seen)| cluster != 0 && seen.peer.cluster == cluster);
            known.extend(fellows.map(|(node, seen)| (*node, seen.address.clone())));
        }
        let members = self.catalogue();
        known.extend(members.members().map(|member| (member.node.id, member.node.peer_address.clone())));
        known
    }

    /// Has the network dial all nodes of the cluster, and whom else it is told of.
    pub(super) fn dial(&self, more: BTreeMap<NodeId, String>) {
        if let Some(net) = &self.net {
            let mut known = more;
            known.extend(self.addresses());
            net.list(&known);
        }
    }

    /// The voters, and all nodes that the log is replicated to.
    pub(super) async fn voters_and_nodes(&self) -> (Vec<BTreeSet<NodeId>>, BTreeSet<NodeId>) {
        let membership = self.raft.with_raft_state(|state| Arc::clone(state.membership_state.effective()));
        // Of a group that has ended: nobody.
        let Ok(membership) = membership.await else { return (Vec::new(), BTreeSet::new()) };
        let configs = membership.membership().get_joint_config();
        let voters = configs.iter().map(|config| config.iter().copied().map(NodeId).collect()).collect();
        (voters, membership.nodes().map(|(node, _)| NodeId(*node)).collect())
    }

    /// Answers one kind of call for as long as this node is part of the group.
    pub(super) fn answer<C, F>(
        self: &Arc<Self>,
        net: &Net,
        handler: impl Fn(Arc<Group>, Peer, C) -> F + Clone + Send + Sync + 'static,
    ) where
        C: Call,
        F: Future<Output = Result<C::Answer>> + Send + 'static,
    {
        let group = Arc::downgrade(self);
        net.answer(move |from, call: C| {
            let answer = group.upgrade().map(|group| handler(group, from, call));
            async move {
                match answer {
                    Some(answer) => answer.await,
                    None => Err(Error::unavailable("the node has left the control group")),
                }
            }
        });
    }
}

/// That openraft does not go on.
pub(super) fn failed(error: impl fmt::Display) -> Error {
    Error::unavailable(format!("the control group has failed: {error}"))
}
