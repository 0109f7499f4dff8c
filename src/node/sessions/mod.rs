//! Client sessions at this node: ids from blocks granted in advance, the streams that are open here, and how sessions end.
//!
//! A session is the cluster's, not a node's: its id is granted by the control group, and every node takes it up. So a
//! node on which it has no stream (any more) must not end it before all the others have said that they do not hold it
//! either ([`ending`]). Once it is over, every node has the partitions that it leads forget the session's answers.

mod ending;
mod registry;

use std::{collections::VecDeque, ops::Range, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

pub(super) use ending::{answer, keep};

use self::registry::{Registry, Resumed};
use super::{grid::Grid, worker::Message};
use crate::{
    catalog::{Command, Response},
    types::{Error, Result, SessionId},
};

/// How many ids one command of the control group grants.
const BLOCK: u32 = 1_024;
/// How long a node may be behind the grant of a session that comes to it.
const BEHIND_MOST: Duration = Duration::from_secs(1);
/// How often it looks whether it has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The sessions of this node.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Blocks of ids that nobody has.
    granted: Mutex<VecDeque<Range<u64>>>,
    registry: Mutex<Registry>,
    /// There is something to tell the other nodes.
    news: Notify,
}

impl Sessions {
    /// An id that nobody has; none while no block is left.
    fn next(&self) -> Option<SessionId> {
        let mut granted = self.granted.lock();
        loop {
            if let Some(id) = granted.front_mut()?.next() {
                return Some(SessionId(id));
            }
            granted.pop_front();
        }
    }

    /// How many ids are left.
    fn left(&self) -> u64 {
        self.granted.lock().iter().map(|block| block.end - block.start).sum()
    }

    /// How many have streams here, or had one not long ago.
    pub(super) fn len(&self) -> usize {
        self.registry.lock().len()
    }
}

impl Grid {
    /// Grants a session id that was never granted before.
    pub async fn open_session(&self) -> Result<SessionId> {
        let sessions = &self.inner.sessions;
        loop {
            if let Some(id) = sessions.next() {
                sessions.registry.lock().open(id);
                return Ok(id);
            }
            self.fetch_block().await?;
        }
    }

    /// Has a block of ids granted.
    async fn fetch_block(&self) -> Result<()> {
        let response = self.inner.control.propose(Command::GrantSessions { count: BLOCK }).await?;
        let Response::Sessions { first, count } = response else {
            return Err(Error::internal("the control group granted something else than sessions"));
        };
        self.inner.sessions.granted.lock().push_back(first.0..first.0 + u64::from(count));
        Ok(())
    }

    /// Takes up a session of this cluster, wherever it was opened; false if it is over.
    pub async fn resume_session(&self, session: SessionId) -> Result<bool> {
        self.await_grant(session).await?;
        match self.inner.sessions.registry.lock().resume(session, self.mono_us()) {
            Resumed::Yes => Ok(true),
            Resumed::Over => Ok(false),
            Resumed::InQuestion => {
                Err(Error::unavailable(format!("session {session} is being ended")).hint("retry in a moment"))
            }
        }
    }

    /// The grant may be known elsewhere first.
    async fn await_grant(&self, session: SessionId) -> Result<()> {
        let is_granted = || (1..self.inner.catalogue.borrow().next_session().0).contains(&session.0);
        let waiting = async {
            while !is_granted() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(BEHIND_MOST, waiting).await.map_err(|_| {
            Error::unavailable(format!("no session {session} was granted, as far as this node knows"))
                .hint("retry in a moment: the node may be cut off from the others")
        })
    }

    /// A stream of the session is gone. The session ends if none is opened again in time, here or at another node.
    pub fn suspend_session(&self, session: SessionId) {
        self.inner.sessions.registry.lock().suspend(session, self.mono_us());
    }

    /// The session is over, as its client says: its request results are forgotten, at all nodes.
    pub fn end_session(&self, session: SessionId) {
        let peers = self.peers(true);
        if self.inner.sessions.registry.lock().end(session, peers) {
            self.inner.shared.broadcast(|| Message::EndSession(session));
            self.inner.sessions.news.notify_one();
        }
    }
}
