//! Streams: how one begins, and what becomes of operations when one ends.

use super::{
    calling::{Answers, Operation},
    link::{Link, LinkId},
    machine::{Session, State},
    numbers::Numbers,
};
use crate::{
    mutant::Mutant,
    types::{Error, NodeId, SessionId},
};

/// What the grid knows a session by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The session.
    pub session: SessionId,
    /// The cluster that granted it.
    pub cluster: u64,
}

/// What the first frame of a stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The session to be taken up; none for one that is new.
    pub identity: Option<Identity>,
    /// All lower numbers are settled.
    pub acknowledged_below: u64,
}

/// How a node answers a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The node.
    pub node: NodeId,
    /// What it was asked for.
    pub asked: Option<Identity>,
    /// The session that it gave.
    pub identity: Identity,
    /// Numbers that it lets be unanswered; 0: it does not say.
    pub max_outstanding: u32,
    /// The longest frame that it reads; 0: it does not say.
    pub max_frame_bytes: usize,
}

impl<O: Operation> Session<O> {
    /// Who the session is, once a node has said so.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// How a stream begins, to whichever node.
    pub fn hello(&self) -> Hello {
        Hello { identity: self.identity, acknowledged_below: self.numbers.acknowledged_below() }
    }

    /// A node has answered the hello of a stream: operations may leave over its link. `None` if the stream is of no use:
    /// there is another to that node, or the session is not any more what it was asked for.
    ///
    /// If the grid does not know the session any more, what was sent in it has an unknown outcome and is not sent again;
    /// streams to other nodes are given up, to begin anew.
    pub fn handle_welcome<A>(
        &mut self,
        welcome: &Welcome,
        now_us: u64,
        answers: &mut Answers<A>,
    ) -> Option<LinkId> {
        let found = self.links.iter().find(|(_, link)| link.node == welcome.node).map(|(at, _)| LinkId(at));
        if found.is_some_and(|link| self.is_open(link)) && self.identity == Some(welcome.identity) {
            return None;
        }
        if self.identity != Some(welcome.identity) {
            if self.identity != welcome.asked {
                return None;
            }
            self.renew(welcome.identity, answers);
        }
        if welcome.max_outstanding > 0 {
            self.limits.outstanding = self.limits.outstanding.min(welcome.max_outstanding);
        }
        if welcome.max_frame_bytes > 0 {
            let most = self.limits.frame_most_bytes.min(welcome.max_frame_bytes);
            self.limits.frame_most_bytes = most;
            self.limits.frame_bytes = self.limits.frame_bytes.min(most / 2);
        }
        Some(self.open(welcome.node, now_us))
    }

    fn open(&mut self, node: NodeId, now_us: u64) -> LinkId {
        let id = self.link_to(node);
        if let Some(link) = self.links.get_mut(id.0) {
            link.is_open = true;
            link.missed_until_us = None;
            link.heard_us = now_us;
        }
        let stranded: Vec<u32> = self.stranded.drain(..).collect();
        self.enqueue(&stranded);
        id
    }

    /// The link to a node; made if there is none.
    pub(super) fn link_to(&mut self, node: NodeId) -> LinkId {
        let found = self.links.iter().find(|(_, link)| link.node == node).map(|(at, _)| at);
        LinkId(found.unwrap_or_else(|| self.links.insert(Link::to(node))))
    }

    /// The session begins anew, under another identity.
    fn renew<A>(&mut self, identity: Identity, answers: &mut Answers<A>) {
        for tag in self.tags(|pending| pending.number != 0 && !Mutant::ResendsInNextSession.is_on()) {
            let lost = Error::unavailable("the session was lost while the write was under way")
                .hint("whether it took effect is not known: read the row");
            if let Some(caller) = self.forget(tag) {
                answers.push((caller, Err(lost)));
            }
        }
        self.drop_forgotten();
        let open: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| link.is_open).map(|(at, _)| LinkId(at)).collect();
        for link in open {
            self.broken.push(link);
            self.close(link, None);
        }
        if self.identity.is_some_and(|before| before.cluster != identity.cluster) {
            let queued = self.unqueue();
            self.links.clear();
            self.topology = None;
            self.primaries.clear();
            self.stranded.extend(queued);
        }
        self.numbers = Numbers::new();
        self.identity = Some(identity);
    }

    /// A link's stream broke. What was sent over it and not answered leaves again: over the next stream to that node, to
    /// the one that takes its place, or after a while by way of any other.
    pub fn handle_disconnect(&mut self, link: LinkId, outage: Error, now_us: u64) {
        self.outage = Some(outage);
        self.close(link, Some(now_us + self.limits.missed_us));
    }

    /// No stream could be opened to some node.
    pub fn handle_outage(&mut self, outage: Error) {
        self.outage = Some(outage);
    }

    /// Streams that have been given up here since the last call: whoever runs them is to end them.
    pub fn take_broken(&mut self) -> impl Iterator<Item = LinkId> + '_ {
        self.broken.drain(..)
    }

    /// Whether there is an open stream to a node.
    pub fn is_open_to(&self, node: NodeId) -> bool {
        self.links.iter().any(|(_, link)| link.is_open && link.node == node)
    }

    /// Whether no link is open.
    pub fn is_cut_off(&self) -> bool {
        !self.links.iter().any(|(_, link)| link.is_open)
    }

    fn close(&mut self, id: LinkId, missed_until_us: Option<u64>) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        link.is_open = false;
        link.missed_until_us = missed_until_us;
        link.doubted_us = None;
        let mut again: Vec<u32> = link.queue.drain(..).collect();
        let node = link.node;
        for tag in self.tags(|pending| pending.caller.is_none() && pending.state == State::Sent(id)) {
            self.forget(tag);
        }
        again.extend(self.tags(|pending| pending.state == State::Sent(id)));
        if !self.is_listed(node) {
            self.links.remove(id.0);
        }
        self.enqueue(&again);
    }

    /// Takes out of the queues what is answered.
    pub(super) fn drop_forgotten(&mut self) {
        let pending = &self.pending;
        for queue in self.links.iter_mut().map(|(_, link)| &mut link.queue).chain([&mut self.stranded]) {
            queue.retain(|tag| pending.contains(*tag as usize));
        }
    }
}
