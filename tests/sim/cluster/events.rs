//! What can happen.

use embergrid::feed::{self, SubscriberId};
use embergrid::partition::{Outcome, Request};
use embergrid::store::{Reader, Record};
use embergrid::types::{Error, Incarnation, Key, MapId, NodeId, PartitionId};

use super::control::{Answer, Asked, Asker};
use super::host::{Message, Told};
use super::oracle::reads::Expected;

pub(crate) enum Event {
    /// Something reaches a node, whichever start of it is there.
    Arrives(NodeId, Arrival),
    /// Something happens within one start of a node.
    Within(NodeId, Incarnation, Inner),
    Control(ControlEvent),
    Client(usize, ClientEvent),
    Subscriber(usize, PartitionId, SubscriberEvent),
    /// A process begins.
    PowerOn(NodeId),
    /// It asks for its start to be recorded.
    Start {
        node: NodeId,
        life: u64,
    },
    /// Its node starts, as recorded in the log at an index.
    Boot {
        node: NodeId,
        life: u64,
        incarnation: Incarnation,
        index: usize,
    },
    Trouble,
    /// A process ends.
    Crash(NodeId),
    /// The cuts end.
    Mend,
    /// The weather clears.
    Clear,
    Operator,
}

/// What comes over the network.
pub(crate) enum Arrival {
    Post(Message),
    Told(Told),
    Request { partition: PartitionId, request: Request },
    Read { from: usize, read: Read },
    Subscriber(PartitionId, super::host::Subscription),
}

/// One attempt to read a row.
#[derive(Clone)]
pub(crate) struct Read {
    pub(crate) id: u64,
    pub(crate) map: MapId,
    pub(crate) key: Key,
    pub(crate) asked_us: u64,
    pub(crate) attempt: u32,
}

/// What happens within a node.
pub(crate) enum Inner {
    Work,
    Wake(u64),
    SupervisorTick(u64),
    Beat,
    Bookmark,
    Post(Message),
    /// The row is looked up.
    Look {
        from: usize,
        read: Read,
        reader: Reader,
    },
    /// And only then the clock.
    Check {
        from: usize,
        read: Read,
        reader: Reader,
        found: Option<Record>,
        expected: Expected,
    },
    /// A proposal is answered, as of a length of the log, which must be here by then.
    Answer {
        by: Asker,
        answer: Answer,
        index: usize,
        until_us: u64,
    },
    Confirmed {
        round: u64,
        confirmed: bool,
        index: usize,
    },
    TakeLead {
        term: u64,
    },
    Deposed,
}

/// What happens within the control group.
pub(crate) enum ControlEvent {
    /// A proposal reaches whoever leads.
    Propose(Box<Asked>),
    /// A majority has it.
    Commit { number: u64, term: u64 },
    /// Whether the leader is well, and who is behind.
    Look,
    /// A node applies what is committed.
    Learn(NodeId),
    /// Whether a node leads.
    Evaluate { node: NodeId, incarnation: Incarnation, round: u64 },
}

pub(crate) enum ClientEvent {
    Think,
    Send(u64),
    Silence { number: u64, attempt: u32 },
    Answer { number: u64, answer: Box<Result<Outcome, Error>>, hint: Option<NodeId> },
    SendRead(Read),
    ReadSilence { id: u64, attempt: u32 },
    ReadAnswer { read: Read, answer: Result<Option<Record>, Error>, hint: Option<NodeId> },
}

pub(crate) enum SubscriberEvent {
    Connect,
    Message(SubscriberId, feed::Message),
    Ended(SubscriberId, Option<NodeId>),
}
