//! What a core is told.

use std::sync::Arc;

use bytes::Bytes;

use super::{Frame, JobBatch, Ticket, View};
use crate::{
    binding::Scores,
    catalog::Configuration,
    expr::Update,
    types::{Epoch, Error, JoinId, Key, MapId, RequestId, RowVersion, SessionId},
};

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A client asks for a change.
    Request(Request),
    /// What became of an [`super::Effect::Score`].
    Scored {
        /// The ticket that came with the effect.
        ticket: Ticket,
        /// The scores, or why there are none.
        result: Result<Scores, Error>,
    },
    /// A job has scored rows that are stored.
    Job(JobBatch),
    /// The cluster's metadata has changed; it takes effect here through an entry.
    View(Arc<View>),
    /// Some time has passed: see [`super::Core::next_deadline`].
    Tick,
    /// The control leader lets the replica serve until then, on the clock of [`crate::types::Now::mono_us`], if it is
    /// the only one in sync; zero stops it at once. To be handed in after the configuration that the leader knew when
    /// it granted this: a replica that does not know yet that it was replaced must not use it.
    Lease {
        /// The end of the lease.
        until_us: u64,
    },
    /// A session is over: what is kept for its retries goes.
    EndSession(SessionId),
    /// Who holds the partition from now on. Earlier configurations than the present one are passed over.
    Configuration(Arc<Configuration>),
    /// Another replica says something.
    Frame(Frame),
    /// One copy of [`super::Proposal::Admit`] or [`super::Proposal::HandOver`], proposed in that epoch, will never take
    /// effect. To be handed in at most once for an [`super::Effect::Propose`], and only if that was sent once; where the
    /// outcome is not known, nothing is.
    Refused {
        /// The epoch in which it was proposed.
        epoch: Epoch,
        /// The replica that it is about.
        join: JoinId,
    },
}

/// A change that a client asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the reply goes.
    pub origin: Origin,
    /// Names the request across retries; without it, a retry is another request.
    pub id: Option<RequestId>,
    /// The session has the answers to all its requests below this number and will not repeat them.
    pub acknowledged_below: u64,
    /// The map.
    pub map: MapId,
    /// The key, which belongs to this partition.
    pub key: Key,
    /// The change.
    pub op: Op,
    /// When the client stops waiting, on the clock of [`crate::types::Now::mono_us`].
    pub deadline_us: Option<u64>,
}

/// Where a reply goes. Means nothing to the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// A connection of the node.
    pub connection: u32,
    /// The connection's own number for the request.
    pub tag: u64,
}

/// A change of one key.
#[derive(Clone, Debug)]
pub enum Op {
    /// Writes the row.
    Put {
        /// A packed row, checked against the map's schema; or a plain map's bytes.
        value: Bytes,
        /// Under which condition.
        mode: PutMode,
        /// Whether the reply carries the row that was there.
        want_old: bool,
        /// How long the row lives; for ever if none.
        ttl: Option<Ttl>,
    },
    /// Removes the row.
    Remove {
        /// Only at this version; otherwise a conflict.
        expected: Option<RowVersion>,
        /// Whether the reply carries the row that was there.
        want_old: bool,
    },
    /// Computes the row anew from what it is. It keeps its time to live; without a row it is refused.
    Update(Arc<Update>),
    /// Lets the row live this long from now, or for ever. Its version stays.
    SetTtl {
        /// From now.
        ttl: Option<Ttl>,
    },
}

/// Under which condition a put writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PutMode {
    /// None.
    #[default]
    Always,
    /// There is no row; otherwise the outcome is not applied.
    IfAbsent,
    /// There is a row; otherwise the outcome is not applied.
    IfPresent,
    /// The row has this version; otherwise a conflict.
    IfVersion(RowVersion),
}

/// How long a row lives, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ttl {
    /// Milliseconds.
    pub ms: u64,
}
