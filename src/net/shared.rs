//! What all tasks of the room share.

use std::{collections::BTreeMap, fmt, future::Future, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use quinn::{ClientConfig, Endpoint};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::{
    accept::Turns,
    handlers::Handlers,
    hello::{Hello, Peer, Purpose},
    identity::Identity,
    lane::Lane,
    links::Links,
    refusal::{Reason, Refusal},
    seldom::Seldom,
};
use crate::{
    telemetry::{LaneMetrics, Metrics},
    types::NodeId,
};

/// A node that this node can talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who it is.
    pub peer: Peer,
    /// Where it says that peers reach it.
    pub address: String,
}

pub(super) type Everyone = Arc<BTreeMap<NodeId, Seen>>;

pub(super) struct Shared {
    pub(super) identity: Identity,
    pub(super) endpoint: Endpoint,
    pub(super) client: ClientConfig,
    /// Where this endpoint is bound.
    pub(super) local: SocketAddr,
    /// Where peers reach this node.
    pub(super) address: String,
    /// Tells this process from another of the same node.
    process: u64,
    /// What this node says of itself.
    pub(super) own: watch::Sender<Peer>,
    /// The nodes to which a control connection stands.
    pub(super) seen: watch::Sender<Everyone>,
    pub(super) handlers: Handlers,
    pub(super) links: Links,
    pub(super) turns: Turns,
    pub(super) lanes: [LaneMetrics; Lane::ALL.len()],
    pub(super) metrics: Arc<Metrics>,
    said: Mutex<Seldom<(String, Reason)>>,
    /// None once the room is shut down.
    tasks: Mutex<Option<JoinSet<()>>>,
}

/// What [`Shared`] is made of.
pub(super) struct Parts {
    pub(super) identity: Identity,
    pub(super) endpoint: Endpoint,
    pub(super) client: ClientConfig,
    pub(super) local: SocketAddr,
    pub(super) address: String,
    pub(super) process: u64,
    pub(super) own: Peer,
    pub(super) metrics: Arc<Metrics>,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        let lane = |lane: Lane| parts.metrics.lane(lane.name());
        Arc::new(Shared {
            lanes: Lane::ALL.map(lane),
            identity: parts.identity,
            endpoint: parts.endpoint,
            client: parts.client,
            local: parts.local,
            address: parts.address,
            process: parts.process,
            own: watch::Sender::new(parts.own),
            seen: watch::Sender::new(Everyone::default()),
            handlers: Handlers::default(),
            links: Links::default(),
            turns: Turns::default(),
            metrics: parts.metrics,
            said: Mutex::new(Seldom::new()),
            tasks: Mutex::new(Some(JoinSet::new())),
        })
    }

    /// This node's id.
    pub(super) fn me(&self) -> NodeId {
        self.own.borrow().node
    }

    /// What this node says of itself now.
    pub(super) fn hello(&self, purpose: Purpose) -> Hello {
        let (peer, address, process) = (*self.own.borrow(), self.address.clone(), self.process);
        Hello { peer, address, purpose, process }
    }

    /// The counters of one lane.
    pub(super) fn lane(&self, lane: Lane) -> &LaneMetrics {
        &self.lanes[lane as usize]
    }

    /// Runs a task until it ends or the room is shut down; not at all if it is.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let mut tasks = self.tasks.lock();
        let tasks = tasks.as_mut()?;
        while let Some(ended) = tasks.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                tracing::error!("a task of the network has panicked");
            }
        }
        Some(tasks.spawn(task))
    }

    /// Ends all tasks; they have ended on return.
    pub(super) async fn end_tasks(&self) {
        let tasks = self.tasks.lock().take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }

    /// Counts and says that a peer at `who` could not be dialled, or refused to be.
    pub(super) fn not_connected(&self, who: impl fmt::Display, refusal: &Refusal) {
        let is_news = self.count(&who, refusal);
        match refusal.reason {
            Reason::Done | Reason::Stopping => {
                tracing::debug!("no connection to {who}: {refusal}");
            }
            _ if is_news => tracing::warn!("no connection to {who}: {refusal}"),
            _ => tracing::debug!("no connection to {who}: {refusal}"),
        }
    }

    /// Counts and says that somebody who dialled this node was turned away.
    pub(super) fn turned_away(&self, from: SocketAddr, refusal: &Refusal) {
        let is_news = self.count(from.ip(), refusal);
        match refusal.reason.is_refusal() && is_news {
            true => tracing::warn!("a connection from {from} was refused: {refusal}"),
            false => tracing::debug!("a connection from {from} ended: {refusal}"),
        }
    }

    /// Counts a refusal; says whether the last one like it is a minute old.
    fn count(&self, who: impl fmt::Display, refusal: &Refusal) -> bool {
        if refusal.reason.is_refusal() {
            self.metrics.refused_peers(refusal.reason.name()).add(1);
        }
        self.said.lock().is_due((who.to_string(), refusal.reason), tokio::time::Instant::now())
    }
}
