//! Operations as clients submit them, as they travel, and what comes back.

use embergrid::partition::{Op, Origin, Outcome, Request};
use embergrid::session::Operation;
use embergrid::store::Record;
use embergrid::types::{Error, Key, MapId, PartitionId, RequestId, SessionId};

/// What an operation has in a frame beside its key and its value.
const HEADER_BYTES: usize = 24;

/// One operation of one call.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) call: u32,
    pub(crate) map: MapId,
    pub(crate) key: Key,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Read,
    Write(Op),
}

impl Operation for Draft {
    fn key(&self) -> &[u8] {
        self.key.packed()
    }

    fn bytes(&self) -> usize {
        let value = match &self.action {
            Action::Write(Op::Put { value, .. }) => value.len(),
            _ => 0,
        };
        HEADER_BYTES + self.key.packed().len() + value
    }

    fn is_write(&self) -> bool {
        matches!(self.action, Action::Write(_))
    }
}

/// An operation in a frame.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) tag: u32,
    pub(crate) number: u64,
    /// What a client that breaks the rule of retries adds to its session.
    pub(crate) alias: u64,
    pub(crate) draft: Draft,
}

impl Sent {
    /// The name of the request in a session; reads have none.
    pub(crate) fn id(&self, session: SessionId) -> Option<RequestId> {
        let session = SessionId(session.0 + self.alias);
        (self.number > 0).then_some(RequestId { session, number: self.number })
    }

    /// What a partition is asked in a session; none for a read.
    pub(crate) fn request(
        &self,
        origin: Origin,
        session: SessionId,
        acknowledged_below: u64,
    ) -> Option<Request> {
        let Action::Write(op) = &self.draft.action else { return None };
        Some(Request {
            origin,
            id: self.id(session),
            acknowledged_below,
            map: self.draft.map,
            key: self.draft.key.clone(),
            op: op.clone(),
            deadline_us: None,
        })
    }
}

/// An answer on its way to a client.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) tag: u32,
    /// The write that it answers. A client does not see it: the oracles do.
    pub(crate) about: Option<(PartitionId, RequestId)>,
    pub(crate) answer: Result<Done, Error>,
}

/// What was done, and for which call: that too is for the oracles.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) call: u32,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Found(Option<Record>),
    Written(Outcome),
}
