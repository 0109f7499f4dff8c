//! What can happen.

use embergrid::feed::{self, SubscriberId};
use embergrid::partition::Request;
use embergrid::store::{Reader, Record};
use embergrid::types::{Error, Incarnation, Key, MapId, NodeId, PartitionId, PlacementVersion, SessionId};

use super::control::{Answer, Asked, Asker};
use super::draft::{Reply, Sent, What};
use super::faults::{Flap, Swap};
use super::host::{Message, Told};
use super::oracle::reads::Expected;
use super::stream::{StreamEvent, StreamId};

pub(crate) enum Event {
    /// Something reaches a node, whichever start of it is there.
    Arrives(NodeId, Arrival),
    /// Something happens within one start of a node.
    Within(NodeId, Incarnation, Inner),
    Control(ControlEvent),
    Client(usize, ClientEvent),
    Stream(StreamId, StreamEvent),
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
    /// By number.
    Trouble(u32),
    /// A partition gets another primary.
    Swap(Swap),
    /// A process ends, for so long.
    Crash {
        node: NodeId,
        back_us: u64,
    },
    /// A process that drains ends when nobody needs it any more, or at that time; and for so long.
    Stop {
        node: NodeId,
        life: u64,
        until_us: u64,
        back_us: u64,
    },
    /// A node whose streams hang is cut off, in a way that falls out by that roll.
    Strand {
        node: NodeId,
        roll: u64,
        for_us: u64,
    },
    /// Two nodes hear each other no longer.
    Part {
        a: NodeId,
        b: NodeId,
        for_us: u64,
    },
    /// Cuts end.
    Mend,
    /// A link that flaps changes.
    Flap(Flap),
    /// Another leader of the control group is elected.
    Elect,
    /// The weather clears.
    Clear,
    Operator,
}

/// What comes over the network.
pub(crate) enum Arrival {
    Post(Message),
    Told(Told),
    /// What another node passes on.
    Passed(Batch),
    /// What another node had taken for its own, until it handed over its role. It waits here for the placement, until then.
    Forwarded {
        from: NodeId,
        forwarded: Forwarded,
        until_us: u64,
    },
    Subscriber(PartitionId, super::host::Subscription),
}

/// Operations of a session that another node is to carry out.
pub(crate) struct Batch {
    pub(crate) number: u64,
    pub(crate) from: NodeId,
    pub(crate) session: SessionId,
    pub(crate) acknowledged_below: u64,
    pub(crate) ops: Vec<Sent>,
}

/// A request for the node to which the primary's role was handed, as of that placement. Its origin is the slot under which
/// its answer is owed.
#[derive(Clone)]
pub(crate) struct Forwarded {
    pub(crate) to: NodeId,
    pub(crate) partition: PartitionId,
    pub(crate) request: Request,
    pub(crate) placement: PlacementVersion,
}

/// A read that a node carries out.
#[derive(Clone)]
pub(crate) struct Read {
    /// Under which its answer is owed.
    pub(crate) slot: u64,
    pub(crate) partition: PartitionId,
    pub(crate) map: MapId,
    pub(crate) key: Key,
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
        read: Read,
        reader: Reader,
    },
    /// And only then the clock.
    Check {
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
    /// Whether the session of a stream can be taken up.
    Greet {
        stream: StreamId,
        until_us: u64,
    },
    /// Whether there is news of the primaries for a client.
    TellPlaces(StreamId),
    /// A batch that was passed on comes back, or is lost.
    Returned {
        batch: u64,
        replies: Vec<Reply>,
    },
    Lost {
        batch: u64,
    },
    /// What was forwarded is answered.
    Paid {
        slot: u64,
        answer: Result<What, Error>,
    },
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
    /// The clock of that connection.
    Tick(u64),
    /// That connection opens a stream to a node.
    Reach(u64, NodeId),
    /// That connection looks for any node, at a place in the list of addresses.
    Seek(u64, usize),
}

pub(crate) enum SubscriberEvent {
    Connect,
    Message(SubscriberId, feed::Message),
    Ended(SubscriberId, Option<NodeId>),
}
