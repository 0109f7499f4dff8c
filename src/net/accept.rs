//! Connections that others dialled: this node reads them.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use quinn::{Connection, Incoming, RecvStream, SendStream};
use tokio::{
    sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};

use super::{
    call::{Request, frame_answer, late},
    dial::{HANDSHAKE, Introduced, end},
    hello::{Peer, Purpose},
    lane::Lane,
    refusal::{Reason, Refusal},
    shared::Shared,
    stream::{Introduction, Messages, write},
};
use crate::types::{Error, NodeId};

/// How many may be shaking hands at once. Past the half of it they must first show that their address is theirs.
const HANDSHAKES: usize = 64;
/// What is said to a connection when the same node makes another.
const SUPERSEDED: &str =
    "the node has connected anew: if it is not this process, then another with its data folder";
/// How long a prober may stay once it has learned what it wanted.
const PROBE: Duration = Duration::from_secs(1);

/// Takes connections until the endpoint is closed.
pub(super) async fn accept(shared: Arc<Shared>) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES));
    while let Some(incoming) = shared.endpoint.accept().await {
        let from = incoming.remote_address();
        if slots.available_permits() <= HANDSHAKES / 2 && incoming.may_retry() {
            // Fails only where a retry makes no sense, which was asked.
            let _ = incoming.retry();
            continue;
        }
        match Arc::clone(&slots).try_acquire_owned() {
            Ok(slot) => drop(shared.spawn(receive(Arc::clone(&shared), incoming, slot))),
            Err(_) => {
                shared.turned_away(from, &Refusal::new(Reason::Busy, "too many handshakes at once"));
                incoming.refuse();
            }
        }
    }
}

/// Serves one connection, from its handshake to its end. The slot is given back once the peer is known.
async fn receive(shared: Arc<Shared>, incoming: Incoming, slot: OwnedSemaphorePermit) {
    let from = incoming.remote_address();
    let hidden = || Err(Refusal::new(Reason::Stranger, "it has not said who it is"));
    let introduced = match timeout(HANDSHAKE, meet(&shared, incoming)).await.unwrap_or_else(|_| hidden()) {
        Ok(introduced) => introduced,
        Err(refusal) => return shared.turned_away(from, &refusal),
    };
    let peer = introduced.hello.peer;
    shared.links.discover(&shared, peer.node, &introduced.hello.address);
    if let Some(link) = shared.links.find(peer.node) {
        link.met(introduced.hello.process);
    }
    let ended = match introduced.hello.purpose {
        Purpose::Probe => serve_probe(&shared, introduced).await,
        Purpose::Lane(lane) => serve_lane(&shared, introduced, lane, slot).await,
    };
    shared.turned_away(from, &ended);
}

async fn meet(shared: &Shared, incoming: Incoming) -> Result<Introduced, Refusal> {
    let stranger = |refusal: Refusal| match refusal.reason {
        Reason::Lost => Refusal { reason: Reason::Stranger, ..refusal },
        _ => refusal,
    };
    let connection = incoming.accept().map_err(|error| stranger(error.into()))?;
    let connection = connection.await.map_err(|error| stranger(error.into()))?;
    let met = async {
        let mut introduction = Introduction::new(connection.accept_bi().await?);
        let hello = introduction.hear().await?;
        shared.judge(&connection, &hello, hello.purpose)?;
        let mut own = shared.own.subscribe();
        own.borrow_and_update();
        Ok((introduction, hello, own))
    };
    match met.await {
        Ok((introduction, hello, own)) => Ok(Introduced { connection, introduction, hello, own }),
        Err(refusal) => Err(end(&connection, refusal)),
    }
}

/// Answers who this node is; the prober hangs up.
async fn serve_probe(shared: &Shared, mut introduced: Introduced) -> Refusal {
    let connection = &introduced.connection;
    if let Err(refusal) = introduced.introduction.say(&shared.hello(Purpose::Probe)).await {
        return end(connection, refusal);
    }
    match timeout(PROBE, connection.closed()).await {
        Ok(reason) => reason.into(),
        Err(_) => end(connection, Refusal::new(Reason::Done, "a probe has taken too long")),
    }
}

/// Reads all that the peer sends on a lane, once its connection before this one is done with.
async fn serve_lane(
    shared: &Arc<Shared>,
    mut introduced: Introduced,
    lane: Lane,
    slot: OwnedSemaphorePermit,
) -> Refusal {
    let connection = introduced.connection.clone();
    let node = introduced.hello.peer.node;
    let _turn = shared.turns.take(node, lane, &connection).await;
    connection.set_receive_window(lane.receive_window().into());
    connection.set_max_concurrent_uni_streams(u32::try_from(lane.streams()).unwrap_or(1).into());
    // One more for the hellos.
    connection.set_max_concurrent_bi_streams((lane.calls() + 1).into());
    if let Err(refusal) = introduced.introduction.say(&shared.hello(Purpose::Lane(lane))).await {
        return end(&connection, refusal);
    }
    drop(slot);
    let receiver =
        Receiver { shared: Arc::clone(shared), lane, peer: Arc::new(Mutex::new(introduced.hello.peer)) };
    receiver.run(introduced).await
}

/// What the streams of one connection need.
#[derive(Clone)]
struct Receiver {
    shared: Arc<Shared>,
    lane: Lane,
    peer: Arc<Mutex<Peer>>,
}

impl Receiver {
    async fn run(&self, introduced: Introduced) -> Refusal {
        let Introduced { connection, mut introduction, hello, mut own } = introduced;
        let mut streams = JoinSet::new();
        let refusal = {
            let news = |hello: &super::hello::Hello| {
                *self.peer.lock() = hello.peer;
                self.shared.links.discover(&self.shared, hello.peer.node, &hello.address);
            };
            let mut conversation =
                pin!(self.shared.converse(&connection, &mut introduction, &hello, &mut own, news));
            loop {
                tokio::select! {
                    refusal = &mut conversation => break refusal,
                    stream = connection.accept_uni() => match stream {
                        Ok(stream) => drop(streams.spawn(self.clone().read(stream))),
                        Err(error) => break error.into(),
                    },
                    call = connection.accept_bi() => match call {
                        Ok(call) => drop(streams.spawn(self.clone().answer(call))),
                        Err(error) => break error.into(),
                    },
                    Some(ended) = streams.join_next() => match ended {
                        Ok(Err(refusal)) if refusal.reason == Reason::Protocol => break refusal,
                        Ok(_) => {}
                        Err(_) => break Refusal::protocol("what was sent could not be handled"),
                    },
                }
            }
        };
        // The next connection of this peer must find nobody at work on this one.
        streams.shutdown().await;
        end(&connection, refusal)
    }

    /// Hands over one-way messages, in their order.
    async fn read(self, stream: RecvStream) -> Result<(), Refusal> {
        let metrics = self.shared.lane(self.lane);
        let mut messages = Messages::new(stream, self.lane.max_bytes());
        while let Some(message) = messages.next().await? {
            metrics.messages_received.add(1);
            metrics.bytes_received.add(message.len() as u64);
            let from = *self.peer.lock();
            let taken = self.shared.handlers.hand_over(self.lane, from, &message);
            if !taken.map_err(Refusal::protocol)? {
                metrics.dropped.add(1);
            }
        }
        Ok(())
    }

    /// Answers one call.
    async fn answer(self, (mut send, receive): (SendStream, RecvStream)) -> Result<(), Refusal> {
        let metrics = self.shared.lane(self.lane);
        let request = Request::read(&mut Messages::new(receive, self.lane.max_bytes())).await?;
        metrics.messages_received.add(1);
        metrics.bytes_received.add(request.body.len() as u64);
        let from = *self.peer.lock();
        let answer = match self.shared.handlers.find(&request.head.name, self.lane) {
            Some(answer) => {
                let within = Duration::from_micros(request.head.within_us);
                let answered = timeout(within, answer(from, request.body)).await;
                answered.unwrap_or_else(|_| {
                    let late = late(self.shared.me(), &request.head.name, within);
                    frame_answer::<()>(&Err(late), self.lane)
                })
            }
            None => frame_answer::<()>(&Err(nobody(&request.head.name)), self.lane),
        };
        metrics.messages_sent.add(1);
        metrics.bytes_sent.add(answer.len() as u64);
        write(&mut send, answer).await?;
        // Fails if the caller has gone away meanwhile.
        let _ = send.finish();
        Ok(())
    }
}

fn nobody(name: &str) -> Error {
    Error::unavailable(format!("nobody answers `{}` here yet", name.escape_debug()))
}

/// Whose turn it is to be read: of one peer and lane, the connection that was made last, once the one before it has
/// been read to its end. Otherwise messages of the two would mix, and be out of order.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<(NodeId, Lane), Latest>>);

struct Latest {
    connection: Connection,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Held while a connection is read.
struct Turn<'a> {
    turns: &'a Turns,
    of: (NodeId, Lane),
    id: usize,
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    async fn take(&self, node: NodeId, lane: Lane, connection: &Connection) -> Turn<'_> {
        let of = (node, lane);
        let turn = {
            let mut latest = self.0.lock();
            let turn = latest.get(&of).map_or_else(Arc::default, |before| {
                Refusal::new(Reason::Superseded, SUPERSEDED).close(&before.connection);
                Arc::clone(&before.turn)
            });
            latest.insert(of, Latest { connection: connection.clone(), turn: Arc::clone(&turn) });
            turn
        };
        Turn { turns: self, of, id: connection.stable_id(), _guard: turn.lock_owned().await }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut latest = self.turns.0.lock();
        if latest.get(&self.of).is_some_and(|latest| latest.connection.stable_id() == self.id) {
            latest.remove(&self.of);
        }
    }
}
