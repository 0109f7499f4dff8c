//! How the nodes agree that a session is over.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::BLOCK;
use crate::{
    net::{Call, Net},
    node::{
        grid::{Grid, WeakGrid},
        worker::Message,
    },
    types::{Error, Result, SessionId},
};

/// How often abandoned sessions are looked for, and nodes that did not answer asked again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long another node may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most sessions of one call.
const MOST: usize = 1_024;

/// Asks whether a node holds sessions: by a stream, or by one that broke not long ago. Those that it does not hold it
/// will not take up for a while.
#[derive(Debug, Serialize, Deserialize)]
struct IsOpen {
    sessions: Vec<SessionId>,
}

impl Call for IsOpen {
    const NAME: &'static str = "session.is_open";
    /// One a session, in their order.
    type Answer = Vec<bool>;
}

/// Tells a node that sessions are over.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    sessions: Vec<SessionId>,
}

impl Call for End {
    const NAME: &'static str = "session.end";
    type Answer = ();
}

/// Answers the other nodes' questions about sessions from now on. The network must not keep the node alive.
pub(in crate::node) fn answer(grid: &Grid, net: &Net) {
    let node = grid.downgrade();
    net.answer(move |_, IsOpen { sessions }| {
        let answer = reached(&node, &sessions).map(|grid| {
            let now_us = grid.mono_us();
            let mut registry = grid.inner.sessions.registry.lock();
            sessions.iter().map(|session| registry.release(*session, now_us)).collect()
        });
        async { answer }
    });
    let node = grid.downgrade();
    net.answer(move |_, End { sessions }| {
        let answer = reached(&node, &sessions)
            .map(|grid| sessions.into_iter().for_each(|session| grid.end_here(session)));
        async { answer }
    });
}

/// The node that is called, unless it is called for too much at once.
fn reached(node: &WeakGrid, sessions: &[SessionId]) -> Result<Grid> {
    if sessions.len() > MOST {
        return Err(Error::invalid(format!("{} sessions in one call, more than {MOST}", sessions.len())));
    }
    node.upgrade()
}

/// Keeps ids at hand, ends what was abandoned, and tells the other nodes what is over.
pub(in crate::node) async fn keep(grid: Grid) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                grid.fetch_ahead().await;
                grid.end_abandoned().await;
            }
            () = grid.inner.sessions.news.notified() => {}
        }
        grid.tell().await;
    }
}

impl Grid {
    /// Has ids granted before they run out: sessions begin while the control group has no quorum (protocol rule 11).
    async fn fetch_ahead(&self) {
        if self.inner.sessions.left() < u64::from(BLOCK / 2) {
            // Later is early enough. A block that comes too late to be kept is lost: ids are plenty.
            let _ = tokio::time::timeout(PATIENCE, self.fetch_block()).await;
        }
    }

    /// Another node says that a session is over, and tells the rest.
    fn end_here(&self, session: SessionId) {
        if self.inner.sessions.registry.lock().end(session, BTreeSet::new()) {
            self.inner.shared.broadcast(|| Message::EndSession(session));
        }
    }

    /// Ends the sessions that were abandoned here, unless another node holds them.
    async fn end_abandoned(&self) {
        let sessions = self.inner.sessions.registry.lock().abandoned(self.mono_us(), MOST);
        if sessions.is_empty() {
            return;
        }
        let Some(held) = self.ask(&sessions).await else { return };
        for (session, is_held) in sessions.into_iter().zip(held) {
            let now_us = self.mono_us();
            if is_held {
                self.inner.sessions.registry.lock().forget(session, now_us);
            } else if self.inner.sessions.registry.lock().is_abandoned(session, now_us) {
                self.end_session(session);
            }
        }
    }

    /// Which of the sessions another node holds; none if one did not say. It is asked again later.
    async fn ask(&self, sessions: &[SessionId]) -> Option<Vec<bool>> {
        let mut held = vec![false; sessions.len()];
        for peer in self.peers(false) {
            let request = IsOpen { sessions: sessions.to_vec() };
            let answer = self.net()?.call(peer, &request, PATIENCE).await.ok()?;
            if answer.len() != sessions.len() {
                return None;
            }
            held.iter_mut().zip(answer).for_each(|(held, open)| *held |= open);
        }
        Some(held)
    }

    /// Tells the other nodes what is over. Who does not answer is told again, for as long as it is a member: it may only be
    /// cut off.
    async fn tell(&self) {
        let listeners = self.inner.sessions.registry.lock().listeners();
        let peers = self.peers(true);
        for peer in listeners {
            loop {
                let sessions = self.inner.sessions.registry.lock().untold(peer, MOST);
                let (false, Some(net)) = (sessions.is_empty(), self.net()) else { break };
                if peers.contains(&peer) {
                    let request = End { sessions: sessions.clone() };
                    if net.call(peer, &request, PATIENCE).await.is_err() {
                        break;
                    }
                }
                self.inner.sessions.registry.lock().told(peer, &sessions);
            }
        }
    }
}
