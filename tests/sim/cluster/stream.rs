//! A stream of a client to a node: what is sent on it arrives in order, or not at all. While the network is cut it stalls;
//! whatever is on its way when it breaks may arrive, or not.

use std::collections::VecDeque;

use embergrid::session::{Hello, Identity, LinkId, Topology};
use embergrid::types::{Error, Incarnation, NodeId, SessionId};

use super::draft::{Reply, Sent};

/// Names a stream, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u64);

/// From the client.
#[derive(Debug)]
pub(crate) enum Up {
    Hello,
    Frame { acknowledged_below: u64, ops: Vec<Sent> },
    Goodbye,
}

/// From the node.
#[derive(Debug)]
pub(crate) enum Down {
    Welcome(Identity),
    /// The node takes the session not up.
    Refused(Error),
    Reply(Reply),
    Topology(Topology),
}

/// Who opens a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Whoever keeps a stream to that node.
    Tend,
    /// Whoever looks for any node, and is at that place in the list of addresses.
    Seek { at: usize },
}

/// What happens to a stream.
pub(crate) enum StreamEvent {
    Up,
    Down,
    /// There may be something to put into a frame.
    Write,
    /// The client sees that the stream is of no use.
    Break(Error),
    /// The node should have answered the hello by now.
    TimeOut,
}

/// One way.
#[derive(Debug)]
pub(crate) struct Lane<T> {
    queue: VecDeque<T>,
    /// How many of them are to arrive at a known time.
    moving: usize,
    /// The last of these arrives then.
    last_us: u64,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Lane { queue: VecDeque::new(), moving: 0, last_us: 0 }
    }
}

impl<T> Lane<T> {
    pub(crate) fn push(&mut self, what: T) {
        self.queue.push_back(what);
    }

    /// Whether something waits for the network to be whole again.
    pub(crate) fn is_stalled(&self) -> bool {
        self.moving < self.queue.len()
    }

    /// The next one that waits arrives then, or in its turn; when that is.
    pub(crate) fn move_on(&mut self, at_us: u64) -> u64 {
        self.moving += 1;
        self.last_us = at_us.max(self.last_us + 1);
        self.last_us
    }

    /// Something arrives.
    pub(crate) fn arrive(&mut self) -> Option<T> {
        self.moving = self.moving.saturating_sub(1);
        self.queue.pop_front()
    }

    /// Whether anything is on its way.
    pub(crate) fn is_moving(&self) -> bool {
        self.moving > 0
    }

    /// What has not left yet never does.
    pub(crate) fn cut_off(&mut self) {
        self.queue.truncate(self.moving);
    }
}

/// One stream, as both its ends see it.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) client: usize,
    /// The client's connection that it belongs to.
    pub(crate) connection: u64,
    pub(crate) node: NodeId,
    pub(crate) opener: Opener,
    pub(crate) hello: Hello,
    pub(crate) up: Lane<Up>,
    pub(crate) down: Lane<Down>,
    /// At the client: the link, once the node has answered the hello.
    pub(crate) link: Option<LinkId>,
    /// At the client: it reads and writes no longer.
    pub(crate) is_over: bool,
    /// At the client: somebody is to write soon.
    pub(crate) is_writing: bool,
    /// At the client: since when the two do not hear each other.
    pub(crate) cut_since_us: Option<u64>,
    /// What is on its way since the client gave the stream up takes long.
    pub(crate) is_late: bool,
    /// At the node: its start, and the session.
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) session: Option<SessionId>,
    /// At the node: all lower numbers are settled.
    pub(crate) acknowledged_below: u64,
    /// At the node: what was told last.
    pub(crate) told: Option<Topology>,
}

impl Stream {
    pub(crate) fn new(client: usize, connection: u64, node: NodeId, opener: Opener, hello: Hello) -> Self {
        Stream {
            client,
            connection,
            node,
            opener,
            hello,
            up: Lane::default(),
            down: Lane::default(),
            link: None,
            is_over: false,
            is_writing: false,
            cut_since_us: None,
            is_late: false,
            incarnation: None,
            session: None,
            acknowledged_below: 0,
            told: None,
        }
    }
}
