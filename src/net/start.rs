//! Starting the room, using it, and shutting it down.

use std::{cell::RefCell, collections::BTreeMap, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use quinn::VarInt;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

use super::{
    accept,
    call::{self, Call},
    codec, framing,
    hello::Peer,
    identity::Identity,
    lane::Lane,
    outbox::Pushed,
    refusal::Reason,
    seeds,
    shared::{Parts, Seen, Shared},
    transport,
};
use crate::{
    telemetry::Metrics,
    types::{Error, Incarnation, NodeId, Result},
};

/// How long peers may take to note that this node is stopping.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the network of a node needs.
#[derive(Clone)]
pub struct Options {
    /// This node.
    pub node: NodeId,
    /// The cluster it belongs to, from its last start; zero for none yet.
    pub cluster: u64,
    /// Where to listen for peers.
    pub listen: SocketAddr,
    /// Where peers reach it, as `host:port`; none where that is where it listens.
    pub advertise: Option<String>,
    /// Where other nodes may be found, as `host:port`.
    pub seeds: Vec<String>,
    /// What every node of the cluster knows and nobody else.
    pub secret: Vec<u8>,
}

/// This node's connections to its peers. Clones are handles to the same; the port is free once all are dropped.
#[derive(Clone)]
pub struct Net(pub(super) Arc<Shared>);

impl Net {
    /// Listens for peers, and looks for them at the seeds. Tasks run on the present runtime until
    /// [`shutdown`](Self::shutdown).
    pub fn start(options: Options, metrics: Arc<Metrics>) -> Result<Net> {
        let listening = |error: std::io::Error| {
            Error::unavailable(format!("peers cannot be listened for at {}: {error}", options.listen))
        };
        let identity = Identity::derive(&options.secret, options.node)?;
        let endpoint = transport::endpoint(options.listen, &identity).map_err(listening)?;
        let local = endpoint.local_addr().map_err(listening)?;
        let own = Peer { node: options.node, incarnation: Incarnation(0), cluster: options.cluster };
        let shared = Shared::new(Parts {
            client: transport::client(&identity),
            identity,
            endpoint,
            local,
            address: options.advertise.unwrap_or_else(|| local.to_string()),
            process: draw()?,
            own,
            metrics,
        });
        shared.spawn(accept::accept(Arc::clone(&shared)));
        for seed in options.seeds {
            shared.spawn(seeds::watch(Arc::clone(&shared), seed));
        }
        Ok(Net(shared))
    }

    /// Where peers are listened for.
    pub fn listening_at(&self) -> SocketAddr {
        self.0.local
    }

    /// Tells all peers, present and future, which start this is and which cluster the node belongs to. Peers of other
    /// clusters are let go.
    pub fn introduce(&self, incarnation: Incarnation, cluster: u64) {
        let news = Peer { node: self.0.me(), incarnation, cluster };
        self.0.own.send_if_modified(|own| std::mem::replace(own, news) != news);
    }

    /// The nodes that this node can talk to at this moment: those to which a control connection stands.
    pub fn seen(&self) -> watch::Receiver<Arc<BTreeMap<NodeId, Seen>>> {
        self.0.seen.subscribe()
    }

    /// Takes the members of the cluster and where peers reach them: they are dialled for ever, on all lanes. Others are
    /// known only as long as they can be reached, and only for control.
    pub fn list(&self, members: &BTreeMap<NodeId, String>) {
        self.0.links.list(&self.0, members);
    }

    /// Answers one kind of call from now on. The future is dropped once the caller waits no longer.
    pub fn answer<C, F>(&self, handler: impl Fn(Peer, C) -> F + Send + Sync + 'static)
    where
        C: Call,
        F: Future<Output = Result<C::Answer>> + Send + 'static,
    {
        self.0.handlers.answer(handler);
    }

    /// Is handed the one-way messages of one lane from now on; all of a lane are of one type. The handler is called by
    /// the task that reads the connection, for the messages of one key in their order, and must not block.
    pub fn receive<M: DeserializeOwned>(
        &self,
        lane: Lane,
        handler: impl Fn(Peer, M) + Send + Sync + 'static,
    ) {
        self.0.handlers.receive(lane, handler);
    }

    /// Whether a call over this lane would leave now.
    pub fn reaches(&self, to: NodeId, lane: Lane) -> bool {
        self.0.links.find(to).and_then(|link| link.connection(lane)).is_some()
    }

    /// Makes a call of another node.
    ///
    /// `unavailable` at once if there is no connection; `unavailable` or `deadline` later means that nobody knows
    /// whether the request was carried out.
    pub async fn call<C: Call>(&self, to: NodeId, request: &C, within: Duration) -> Result<C::Answer> {
        let connection = self.0.links.find(to).and_then(|link| link.connection(C::LANE));
        let connection = connection.ok_or_else(|| {
            Error::unavailable(format!("node {to} is not connected")).hint("it is dialled again and again")
        })?;
        call::call(&connection, to, request, within, self.0.lane(C::LANE)).await
    }

    /// Sends a one-way message, from any thread and without waiting. Messages of one key arrive in their order, as long
    /// as the connection lives.
    ///
    /// False if it was dropped, which is counted: no connection, no room, or longer than the lane allows. Even a message
    /// that was not dropped may be lost with the connection.
    pub fn send<M: Serialize>(&self, to: NodeId, lane: Lane, key: u16, message: &M) -> bool {
        let sent = self.0.links.find(to).is_some_and(|link| {
            with_framed(lane, message, |framed| link.outbox(lane).push(usize::from(key), framed))
                == Some(Pushed::Queued)
        });
        if !sent {
            self.0.lane(lane).dropped.add(1);
        }
        sent
    }

    /// Lets the peers know, and ends all tasks; handlers are let go.
    pub async fn shutdown(&self) {
        self.0.endpoint.close(VarInt::from_u32(Reason::Stopping as u32), b"the node is stopping");
        self.0.end_tasks().await;
        self.0.handlers.clear();
        if tokio::time::timeout(FAREWELL, self.0.endpoint.wait_idle()).await.is_err() {
            tracing::debug!("some peers have not noted that this node is stopping");
        }
    }
}

/// A scratch buffer that grew past this is given up.
const KEPT_BYTES: usize = 1 << 20;

thread_local! {
    /// Where this thread encodes, so that the outbox is locked only for a copy.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Encodes and frames a message; none if it cannot be sent at all.
fn with_framed<M: Serialize, T>(lane: Lane, message: &M, push: impl FnOnce(&[u8]) -> T) -> Option<T> {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        let framed = framing::append(scratch, lane.max_bytes(), |out| {
            codec::encode_into(message, out).map_err(Error::from)
        });
        let pushed = match framed {
            Ok(()) => Some(push(scratch)),
            Err(error) => {
                tracing::error!("a message for the {} lane is dropped: {error}", lane.name());
                None
            }
        };
        if scratch.capacity() > KEPT_BYTES {
            *scratch = Vec::new();
        }
        pushed
    })
}

/// What no other process has.
fn draw() -> Result<u64> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::unavailable("the system gives no random numbers"))?;
    Ok(u64::from_le_bytes(bytes))
}
