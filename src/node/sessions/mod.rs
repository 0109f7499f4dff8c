//! Client sessions of this node: ids from granted blocks, and when an abandoned session ends.

use std::{collections::HashMap, ops::Range};

use parking_lot::Mutex;

use crate::{
    catalog::{Command, Response},
    control::Control,
    types::{Error, Result, SessionId},
};

/// How many ids one command of the control group grants.
const BLOCK: u32 = 1_024;
/// How long a session outlives its stream, in microseconds.
const ABANDONED_AFTER_US: u64 = 300_000_000;

/// The sessions of this node.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    granted: Mutex<Range<u64>>,
    /// Open sessions; when their stream broke, on the node's clock.
    open: Mutex<HashMap<SessionId, Option<u64>>>,
}

impl Sessions {
    pub(super) async fn open(&self, control: &Control) -> Result<SessionId> {
        loop {
            let next = self.granted.lock().next();
            if let Some(id) = next {
                self.open.lock().insert(SessionId(id), None);
                return Ok(SessionId(id));
            }
            let response = control.propose(Command::GrantSessions { count: BLOCK }).await?;
            let Response::Sessions { first, count } = response else {
                return Err(Error::internal("the control group granted something else than sessions"));
            };
            // Two that ran out together both fetched a block: one of them is skipped, ids are plenty.
            *self.granted.lock() = first.0..first.0 + u64::from(count);
        }
    }

    pub(super) fn resume(&self, session: SessionId) -> bool {
        self.open.lock().get_mut(&session).map(|suspended| *suspended = None).is_some()
    }

    pub(super) fn suspend(&self, session: SessionId, now_us: u64) {
        if let Some(suspended) = self.open.lock().get_mut(&session) {
            *suspended = Some(now_us);
        }
    }

    pub(super) fn end(&self, session: SessionId) {
        self.open.lock().remove(&session);
    }

    /// Ends the sessions that were abandoned too long ago.
    pub(super) fn expire(&self, now_us: u64) -> Vec<SessionId> {
        let mut open = self.open.lock();
        let abandoned = |suspended: &Option<u64>| {
            suspended.is_some_and(|at| now_us.saturating_sub(at) > ABANDONED_AFTER_US)
        };
        open.extract_if(|_, suspended| abandoned(suspended)).map(|(session, _)| session).collect()
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.lock().len()
    }
}
