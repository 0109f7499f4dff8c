//! This node's way to one other node: a connection a lane, dialled for ever.

use std::{pin::pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use quinn::Connection;
use tokio::{sync::Notify, time::Instant};

use super::{
    backoff::Backoff,
    dial::Introduced,
    hello::{Hello, Purpose},
    lane::Lane,
    outbox::Outbox,
    refusal::{Reason, Refusal},
    shared::{Everyone, Seen, Shared},
    write::write_outbox,
};
use crate::types::NodeId;

/// An attempt that has gone on for so long is begun anew when the node is heard of: it was not there at first, and the
/// repetitions of an attempt come ever more seldom.
const STALE: Duration = Duration::from_millis(300);
/// A node that is no member is forgotten after so long without a connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way to one node.
pub(super) struct Link {
    pub(super) node: NodeId,
    address: Mutex<String>,
    lanes: [Way; Lane::ALL.len()],
    /// There is a reason to dial again without waiting.
    wake: Notify,
}

struct Way {
    outbox: Outbox,
    connection: Mutex<Option<Standing>>,
    /// Held by the one task that keeps the lane: what another left behind must be gone before it begins.
    kept: tokio::sync::Mutex<()>,
}

/// A connection, and which process of the node is at its other end.
struct Standing {
    connection: Connection,
    process: u64,
}

impl Link {
    pub(super) fn new(node: NodeId, address: String) -> Self {
        let way = |lane: Lane| Way {
            outbox: Outbox::new(lane.streams(), lane.outbox_bytes()),
            connection: Mutex::default(),
            kept: tokio::sync::Mutex::default(),
        };
        Link { node, address: Mutex::new(address), lanes: Lane::ALL.map(way), wake: Notify::new() }
    }

    /// Where one-way messages of a lane are put.
    pub(super) fn outbox(&self, lane: Lane) -> &Outbox {
        &self.lanes[lane as usize].outbox
    }

    /// The lane's connection, if there is one.
    pub(super) fn connection(&self, lane: Lane) -> Option<Connection> {
        self.lanes[lane as usize].connection.lock().as_ref().map(|standing| standing.connection.clone())
    }

    /// The node is alive, and reached at this address: whoever waits to dial it waits no longer.
    pub(super) fn found_at(&self, address: &str) {
        address.clone_into(&mut self.address.lock());
        self.wake.notify_waiters();
    }

    /// A process of the node has connected. One that ran before it is gone, whether or not it could say so, and connections
    /// to it lead nowhere.
    pub(super) fn met(&self, process: u64) {
        for way in &self.lanes {
            if let Some(standing) =
                way.connection.lock().as_ref().filter(|standing| standing.process != process)
            {
                Refusal::new(Reason::Superseded, "the node runs anew").close(&standing.connection);
            }
        }
    }

    /// Keeps one lane connected until the task is ended, or the node is no member and cannot be reached.
    pub(super) async fn keep(self: Arc<Self>, shared: Arc<Shared>, lane: Lane) {
        let _kept = self.lanes[lane as usize].kept.lock().await;
        let mut backoff = Backoff::new(shared.me().0 ^ self.node.0.rotate_left(8) ^ lane as u64);
        let mut lost = Instant::now();
        loop {
            let address = self.address.lock().clone();
            let who = format!("node {} at {address}", self.node);
            // To be woken by what happens from here on.
            let mut woken = pin!(self.wake.notified());
            let heard_of = async {
                tokio::time::sleep(STALE).await;
                woken.as_mut().await;
            };
            let dialled = tokio::select! {
                dialled = shared.dial(&address, Some(self.node), Purpose::Lane(lane)) => dialled,
                () = heard_of => continue,
            };
            let refusal = match dialled {
                Ok(introduced) => {
                    let ended = self.carry(&shared, lane, introduced).await;
                    lost = Instant::now();
                    if !ended.reason.is_refusal() {
                        backoff.reset();
                    }
                    ended
                }
                Err(refusal) => refusal,
            };
            shared.not_connected(&who, &refusal);
            if lane == Lane::Control && lost.elapsed() > PATIENCE && shared.links.forget(self.node) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause()) => {}
                () = woken => {}
            }
        }
    }

    /// Sends over a connection until it ends.
    async fn carry(&self, shared: &Shared, lane: Lane, introduced: Introduced) -> Refusal {
        let Introduced { connection, mut introduction, hello, mut own } = introduced;
        let up = Up::new(shared, self, lane, &connection, &hello);
        tokio::select! {
            refusal = shared.converse(&connection, &mut introduction, &hello, &mut own, |news| up.say(news)) => refusal,
            refusal = write_outbox(&connection, lane, self.outbox(lane), shared.lane(lane)) => refusal,
        }
    }
}

/// A connection as others see it, for as long as it is there; ended in any way, it is gone.
struct Up<'a> {
    shared: &'a Shared,
    link: &'a Link,
    lane: Lane,
}

impl<'a> Up<'a> {
    fn new(shared: &'a Shared, link: &'a Link, lane: Lane, connection: &Connection, hello: &Hello) -> Self {
        let standing = Standing { connection: connection.clone(), process: hello.process };
        *link.lanes[lane as usize].connection.lock() = Some(standing);
        shared.lane(lane).connections.rise();
        let up = Up { shared, link, lane };
        up.say(hello);
        let at = connection.remote_address();
        match lane {
            Lane::Control => tracing::info!("node {} is connected at {at}", link.node),
            Lane::Data | Lane::Bulk => {
                tracing::debug!("node {} is connected at {at} for {}", link.node, lane.name())
            }
        }
        up
    }

    /// Publishes what the peer says of itself.
    fn say(&self, hello: &Hello) {
        if self.lane == Lane::Control {
            let seen = Seen { peer: hello.peer, address: hello.address.clone() };
            self.shared.seen.send_modify(|everyone: &mut Everyone| {
                Arc::make_mut(everyone).insert(self.link.node, seen);
            });
        }
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        if let Some(standing) = self.link.lanes[self.lane as usize].connection.lock().take() {
            // Unless it has ended already.
            Refusal::new(Reason::Unlisted, "the node is needed no more").close(&standing.connection);
        }
        self.shared.lane(self.lane).connections.fall();
        if self.lane == Lane::Control {
            self.shared.seen.send_modify(|everyone| {
                Arc::make_mut(everyone).remove(&self.link.node);
            });
        }
    }
}
