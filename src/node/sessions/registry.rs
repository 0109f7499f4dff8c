//! What a node knows of sessions. Time comes in as an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::types::{NodeId, SessionId};

/// How long a session outlives its last stream, in microseconds.
const ABANDONED_AFTER_US: u64 = 300_000_000;
/// How long a session whose end another node considers is not taken up here: longer than that takes.
const IN_QUESTION_US: u64 = 10_000_000;
/// How many sessions that are over are remembered, so that none is taken up again.
const OVER: usize = 65_536;

/// What a node knows of sessions.
#[derive(Debug, Default)]
pub(super) struct Registry {
    here: HashMap<SessionId, Presence>,
    /// Those whose end another node considers, and until when.
    in_question: BTreeMap<SessionId, u64>,
    over: BTreeSet<SessionId>,
    /// Those that are over, and the nodes that have not been told.
    untold: BTreeMap<SessionId, BTreeSet<NodeId>>,
}

/// A session's streams at this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Presence {
    streams: u32,
    /// When the last one ended, while there is none.
    left_us: u64,
}

impl Presence {
    fn is_abandoned(self, now_us: u64) -> bool {
        self.streams == 0 && now_us.saturating_sub(self.left_us) > ABANDONED_AFTER_US
    }
}

/// What becomes of a wish to take a session up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumed {
    /// It has one stream more.
    Yes,
    /// It is over.
    Over,
    /// Another node is about to end it, unless a third one holds it.
    InQuestion,
}

impl Registry {
    /// A session begins, with one stream.
    pub(super) fn open(&mut self, session: SessionId) {
        self.here.insert(session, Presence { streams: 1, left_us: 0 });
    }

    pub(super) fn resume(&mut self, session: SessionId, now_us: u64) -> Resumed {
        if self.over.contains(&session) {
            return Resumed::Over;
        }
        if self.in_question.get(&session).is_some_and(|until_us| now_us < *until_us) {
            return Resumed::InQuestion;
        }
        self.in_question.remove(&session);
        self.here.entry(session).or_default().streams += 1;
        Resumed::Yes
    }

    /// One of its streams is gone.
    pub(super) fn suspend(&mut self, session: SessionId, now_us: u64) {
        if let Some(presence) = self.here.get_mut(&session) {
            presence.streams = presence.streams.saturating_sub(1);
            presence.left_us = now_us;
        }
    }

    /// The session is over, and these nodes are to be told; false if that was known.
    pub(super) fn end(&mut self, session: SessionId, peers: BTreeSet<NodeId>) -> bool {
        self.here.remove(&session);
        self.in_question.remove(&session);
        if !self.over.insert(session) {
            return false;
        }
        if self.over.len() > OVER {
            self.over.pop_first();
        }
        if !peers.is_empty() {
            self.untold.insert(session, peers);
            if self.untold.len() > OVER {
                // A node has been away for so long that it is told nothing of them: it ends them by itself.
                self.untold.pop_first();
            }
        }
        true
    }

    /// The session is held elsewhere: what becomes of it is decided there.
    pub(super) fn forget(&mut self, session: SessionId, now_us: u64) {
        if self.is_abandoned(session, now_us) {
            self.here.remove(&session);
        }
    }

    /// Whether it had streams here, and has had none for too long.
    pub(super) fn is_abandoned(&self, session: SessionId, now_us: u64) -> bool {
        self.here.get(&session).is_some_and(|presence| presence.is_abandoned(now_us))
    }

    /// Sessions that were abandoned here, `most` of them at most.
    pub(super) fn abandoned(&self, now_us: u64, most: usize) -> Vec<SessionId> {
        let abandoned = self.here.iter().filter(|(_, presence)| presence.is_abandoned(now_us));
        abandoned.map(|(session, _)| *session).take(most).collect()
    }

    /// Whether a session has streams here, or had one not long ago. If not, it will not be taken up here for a while:
    /// whoever asks may end it meanwhile.
    pub(super) fn release(&mut self, session: SessionId, now_us: u64) -> bool {
        if self.here.get(&session).is_some_and(|presence| !presence.is_abandoned(now_us)) {
            return true;
        }
        self.in_question.retain(|_, until_us| now_us < *until_us);
        self.in_question.insert(session, now_us + IN_QUESTION_US);
        false
    }

    /// Sessions whose end a node has not been told, `most` of them at most.
    pub(super) fn untold(&self, peer: NodeId, most: usize) -> Vec<SessionId> {
        let untold = self.untold.iter().filter(|(_, peers)| peers.contains(&peer));
        untold.map(|(session, _)| *session).take(most).collect()
    }

    /// The nodes that are to be told something.
    pub(super) fn listeners(&self) -> BTreeSet<NodeId> {
        self.untold.values().flatten().copied().collect()
    }

    /// A node has been told, or is to be told no more.
    pub(super) fn told(&mut self, peer: NodeId, sessions: &[SessionId]) {
        for session in sessions {
            if let Some(peers) = self.untold.get_mut(session) {
                peers.remove(&peer);
                if peers.is_empty() {
                    self.untold.remove(session);
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.here.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: SessionId = SessionId(5);
    const MUCH_LATER: u64 = ABANDONED_AFTER_US + 100;

    #[test]
    fn a_session_is_abandoned_long_after_its_last_stream() {
        let mut registry = Registry::default();
        registry.open(S);
        assert_eq!(registry.resume(S, 0), Resumed::Yes);
        registry.suspend(S, 10);
        assert!(!registry.is_abandoned(S, MUCH_LATER), "it has a stream still");
        registry.suspend(S, 20);
        assert!(!registry.is_abandoned(S, ABANDONED_AFTER_US + 20));
        assert_eq!(registry.abandoned(ABANDONED_AFTER_US + 21, 9), [S]);
        assert_eq!(registry.resume(S, MUCH_LATER), Resumed::Yes);
        assert_eq!(registry.abandoned(MUCH_LATER * 2, 9), []);
    }

    #[test]
    fn a_session_that_was_opened_elsewhere_is_taken_up() {
        let mut registry = Registry::default();
        assert_eq!(registry.resume(S, 0), Resumed::Yes);
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn what_is_over_stays_over_and_is_told_once_to_each() {
        let mut registry = Registry::default();
        registry.open(S);
        let (a, b) = (NodeId(1), NodeId(2));
        assert!(registry.end(S, [a, b].into()));
        assert!(!registry.end(S, [a, b].into()));
        assert_eq!(registry.resume(S, 0), Resumed::Over);
        registry.suspend(S, 0);
        assert_eq!(registry.len(), 0);
        assert_eq!((registry.listeners(), registry.untold(a, 9)), ([a, b].into(), vec![S]));
        registry.told(a, &[S]);
        assert_eq!((registry.listeners(), registry.untold(a, 9)), ([b].into(), vec![]));
        registry.told(b, &[S]);
        assert_eq!(registry.listeners(), [].into());
    }

    #[test]
    fn what_another_node_may_end_is_not_taken_up_meanwhile() {
        let mut registry = Registry::default();
        assert!(!registry.release(S, 0), "it never was here");
        assert_eq!(registry.resume(S, IN_QUESTION_US - 1), Resumed::InQuestion);
        assert_eq!(registry.resume(S, IN_QUESTION_US), Resumed::Yes);
        assert!(registry.release(S, IN_QUESTION_US), "it has a stream");
        registry.suspend(S, IN_QUESTION_US);
        assert!(registry.release(S, IN_QUESTION_US + 1), "its client may be back in a moment");
        assert!(!registry.release(S, IN_QUESTION_US + MUCH_LATER));
    }

    #[test]
    fn a_session_that_came_back_is_not_forgotten() {
        let mut registry = Registry::default();
        registry.open(S);
        registry.suspend(S, 0);
        assert_eq!(registry.resume(S, MUCH_LATER), Resumed::Yes);
        registry.forget(S, MUCH_LATER);
        assert_eq!(registry.len(), 1);
        registry.suspend(S, MUCH_LATER);
        registry.forget(S, MUCH_LATER * 3);
        assert_eq!(registry.len(), 0);
    }

    #[test]
    fn only_so_many_of_those_that_are_over_are_remembered() {
        let mut registry = Registry::default();
        for id in 0..=OVER as u64 {
            registry.end(SessionId(id), BTreeSet::new());
        }
        assert_eq!(registry.over.len(), OVER);
        assert_eq!(registry.resume(SessionId(0), 0), Resumed::Yes);
        assert_eq!(registry.resume(SessionId(OVER as u64), 0), Resumed::Over);
    }
}
