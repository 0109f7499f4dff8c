//! Ids for the sessions that begin at a node, from blocks granted in advance: sessions begin while nobody leads the
//! control group.

use embergrid::catalog::{Command, Response};
use embergrid::types::SessionId;

use super::{Host, Out};
use crate::cluster::control::{Answer, Asker};

/// How many ids one command grants: few, so that many are asked for.
const BLOCK: u32 = 4;

impl Host {
    /// An id that nobody has; none while no block is left.
    pub(crate) fn next_session(&mut self, out: &mut Vec<Out>) -> Option<SessionId> {
        let id = self.sessions.pop_front();
        self.fetch_sessions(out);
        id
    }

    /// Has ids granted before they run out.
    pub(crate) fn fetch_sessions(&mut self, out: &mut Vec<Out>) {
        if self.sessions.len() as u32 <= BLOCK / 2 && !std::mem::replace(&mut self.wants_sessions, true) {
            let by = Asker::Sessions(self.setup.node, self.setup.incarnation);
            out.push(Out::Propose { by, command: Box::new(Command::GrantSessions { count: BLOCK }) });
        }
    }

    /// What became of it. A block that is granted without its asker's knowledge is lost: ids are plenty.
    pub(crate) fn granted(&mut self, answer: Answer, out: &mut Vec<Out>) {
        self.wants_sessions = false;
        if let Answer::Applied(Ok(Response::Sessions { first, count })) = answer {
            self.sessions.extend((first.0..first.0 + u64::from(count)).map(SessionId));
        }
        self.fetch_sessions(out);
    }
}
