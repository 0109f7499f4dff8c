//! What nodes do for clients: sessions taken up, operations carried out where their primary is, answers, and news of
//! where the primaries are (`server::session`, `server::topology`).

use std::collections::BTreeMap;

use embergrid::partition::{Origin, Outcome};
use embergrid::session::Identity;
use embergrid::types::{Error, NodeId, SessionId};

use super::super::draft::{Done, Reply, Sent, What};
use super::super::events::{Arrival, Event, Inner, Read};
use super::super::host::{Message, Out, elsewhere};
use super::super::oracle::{Verdict, moves};
use super::super::owed::{Creditor, Owed};
use super::super::places::{is_news, places};
use super::super::stream::{Down, StreamId, Up};
use super::World;

/// How long a node may be behind the grant of a session that comes to it, and how often it looks.
const BEHIND_MOST_US: u64 = 1_000_000;
const LOOK_EVERY_US: u64 = 10_000;

/// The session and the watermark under which operations are carried out.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) session: SessionId,
    pub(super) acknowledged_below: u64,
}

impl World {
    /// Something has come over a stream.
    pub(super) fn take_up(&mut self, node: NodeId, stream: StreamId, up: Up) -> Verdict {
        let mut out = Vec::new();
        match up {
            Up::Hello => {
                let incarnation = self.machine(node).incarnation();
                if let Some(of) = self.streams.get_mut(&stream) {
                    of.incarnation = incarnation;
                }
                let until_us = self.now_us + BEHIND_MOST_US;
                self.greet(node, stream, until_us, &mut out);
            }
            Up::Frame { acknowledged_below, ops } => self.serve(node, stream, acknowledged_below, ops),
            Up::Goodbye => self.end_session(node, stream),
        }
        self.perform(node, out)
    }

    /// Takes a session up, or begins one; later, if the node is behind.
    pub(super) fn greet(&mut self, node: NodeId, stream: StreamId, until_us: u64, out: &mut Vec<Out>) {
        let Some(of) = self.streams.get_mut(&stream) else { return };
        let Some(host) = &mut self.machines[node.0 as usize - 1].host else { return };
        let cluster = host.catalogue().cluster;
        let asked = of.hello.identity.filter(|asked| asked.cluster == cluster);
        let session = match asked.filter(|asked| !self.over.contains(&asked.session)) {
            Some(asked) => (asked.session < host.catalogue().next_session()).then_some(asked.session),
            None => host.next_session(out),
        };
        match session {
            Some(session) => {
                of.session = Some(session);
                let (client, connection) = (of.client, of.connection);
                self.say(|| {
                    format!("node {node}: session {session} of client {client}, connection {connection}")
                });
                self.push_down(stream, Down::Welcome(Identity { session, cluster }));
                self.within_after(node, 0, Inner::TellPlaces(stream));
            }
            None if self.now_us < until_us => {
                self.within_after(node, LOOK_EVERY_US, Inner::Greet { stream, until_us });
            }
            None => {
                let refusal = Error::unavailable("the node knows of no such session yet");
                self.push_down(stream, Down::Refused(refusal));
            }
        }
    }

    /// The operations of a frame, each where its primary is.
    fn serve(&mut self, node: NodeId, stream: StreamId, acknowledged_below: u64, ops: Vec<Sent>) {
        let Some(of) = self.streams.get_mut(&stream) else { return };
        let Some(session) = of.session else { return };
        of.acknowledged_below = of.acknowledged_below.max(acknowledged_below);
        let frame = Frame { session, acknowledged_below: of.acknowledged_below };
        let mut relays: BTreeMap<NodeId, Vec<Sent>> = BTreeMap::new();
        for op in ops {
            let partition = self.oracles.partition_of(&op.draft.key);
            let primary = self.machine(node).host.as_ref().and_then(|host| host.primary(partition));
            match primary {
                Some(other) if other != node => relays.entry(other).or_default().push(op),
                _ => self.carry_out(node, Creditor::Stream(stream), op, frame),
            }
        }
        for (to, ops) in relays {
            self.pass_on(node, to, stream, ops, frame);
        }
    }

    /// An operation of a partition of which this node is the primary, as far as it knows; any other is refused.
    pub(super) fn carry_out(&mut self, node: NodeId, to: Creditor, op: Sent, frame: Frame) {
        let partition = self.oracles.partition_of(&op.draft.key);
        let about = op.id(frame.session).map(|id| (partition, id));
        let slot = self.owing.owe(Owed { node, to, tag: op.tag, call: op.draft.call, about });
        let Some(host) = &mut self.machines[node.0 as usize - 1].host else { return };
        let primary = host.primary(partition);
        if primary != Some(node) {
            return self.pay(node, slot, Err(elsewhere(partition, primary)));
        }
        let origin = Origin { connection: 0, tag: slot };
        match op.request(origin, frame.session, frame.acknowledged_below) {
            Some(request) => host.post(Message::Request(partition, request)),
            None => {
                let read = Read { slot, partition, map: op.draft.map, key: op.draft.key };
                self.begin_read(node, read);
            }
        }
    }

    /// A partition's primary answers a request.
    pub(super) fn reply(
        &mut self,
        node: NodeId,
        origin: Origin,
        answer: Result<Outcome, Error>,
        at_once: bool,
    ) -> Verdict {
        self.seen.from_record += u64::from(at_once && answer.is_ok());
        let refusal = answer.as_ref().err().filter(|_| self.plan.only_moves && !self.is_calm);
        moves::check(refusal)?;
        self.pay(node, origin.tag, answer.map(What::Written));
        Ok(())
    }

    /// A node gives an answer that it owes.
    pub(super) fn pay(&mut self, node: NodeId, slot: u64, answer: Result<What, Error>) {
        let Some(Owed { to, tag, call, about, .. }) = self.owing.pay(slot) else { return };
        let reply = |answer: Result<What, Error>| Reply {
            tag,
            about,
            answer: answer.map(|what| Done { call, what }),
        };
        match to {
            Creditor::Stream(stream) => self.push_down(stream, Down::Reply(reply(answer))),
            Creditor::Batch(batch) => self.add_to_batch(node, batch, reply(answer)),
            Creditor::Forwarder(to, slot) => self.pay_forwarder(node, to, slot, answer),
        }
    }

    /// The client has said goodbye: the session is over, as all nodes hear or do not.
    fn end_session(&mut self, node: NodeId, stream: StreamId) {
        let session = self.streams.get(&stream).and_then(|of| of.session);
        let Some(session) = session.filter(|session| self.over.insert(*session)) else { return };
        self.say(|| format!("node {node}: session {session} says goodbye"));
        for to in self.nodes() {
            if let Some(delay_us) = self.network.delay_us(&mut self.dice, node.into(), to.into()) {
                let end = Arrival::Post(Message::EndSession(session));
                self.after(delay_us, Event::Arrives(to, end));
            }
        }
    }

    /// A node knows another placement: its clients will, each in its time.
    pub(super) fn tell_places_soon(&mut self, node: NodeId) {
        let incarnation = self.machine(node).incarnation();
        let told = self.streams.iter().filter(|(_, of)| of.node == node && of.incarnation == incarnation);
        let told: Vec<StreamId> =
            told.filter(|(_, of)| of.session.is_some() && !of.is_over).map(|(id, _)| *id).collect();
        for stream in told {
            let slow = !self.is_calm && self.dice.percent(10);
            let delay_us = self.dice.below(if slow { 300_000 } else { 3_000 });
            self.within_after(node, delay_us, Inner::TellPlaces(stream));
        }
    }

    /// Tells a client where the primaries are, if that is news.
    pub(super) fn tell_places(&mut self, node: NodeId, stream: StreamId) {
        let Some(host) = &self.machines[node.0 as usize - 1].host else { return };
        let next = places(host.catalogue());
        let Some(of) = self.streams.get_mut(&stream) else { return };
        if of.told.as_ref().is_none_or(|last| is_news(&next, last)) {
            of.told = Some(next.clone());
            self.push_down(stream, Down::Topology(next));
        }
    }

    /// A session was abandoned for so long that it is over, as all nodes agree.
    pub(super) fn abandon_session(&mut self, session: SessionId) {
        self.over.insert(session);
        self.say(|| format!("session {session} is over"));
        for node in self.nodes() {
            let delay_us = self.network.transit_us(&mut self.dice);
            let end = Arrival::Post(Message::EndSession(session));
            self.after(delay_us, Event::Arrives(node, end));
        }
    }
}
