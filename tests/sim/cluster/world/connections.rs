//! What the SDK does around its session: the clock, streams opened and opened again, frames written and replies read
//! (`client::connection`).

use embergrid::partition::Request;
use embergrid::session::{Answers, Identity, Welcome};
use embergrid::types::{Error, NodeId};

use super::super::connection::{CUT_MOST_US, CUT_OFF_MOST, RECONNECT_MOST_US, TICK_US, Tending, WINDOW};
use super::super::draft::{Done, Draft, Reply, Sent};
use super::super::events::{ClientEvent, Event};
use super::super::oracle::{Verdict, acknowledged, ensure, once::ALIAS};
use super::super::stream::{Down, Opener, StreamEvent, StreamId, Up};
use super::World;

/// The longest frame that nodes read, as they say.
const FRAME_MOST_BYTES: usize = 2_048;

impl World {
    /// A client's connection begins.
    pub(super) fn begin_connection(&mut self, client: usize) {
        let number = self.clients[client].connection.number;
        self.after(0, Event::Client(client, ClientEvent::Seek(number, 0)));
        self.after(TICK_US, Event::Client(client, ClientEvent::Tick(number)));
    }

    /// Minds deadlines and retries, and sees to it that somebody keeps a stream to each node of the cluster.
    pub(super) fn tick(&mut self, client: usize) -> Verdict {
        let (now_us, mut answers) = (self.now_us, Answers::new());
        let connection = &mut self.clients[client].connection;
        let number = connection.number;
        connection.session.handle_tick(now_us, &mut answers);
        let nodes = connection.session.topology().map_or(&[][..], |topology| &topology.nodes);
        let mut fresh: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
        fresh.retain(|node| !connection.tended.contains_key(node));
        connection.tended.extend(fresh.iter().map(|node| (*node, Tending::begin(now_us))));
        connection.cut_off = if connection.session.is_cut_off() { connection.cut_off + 1 } else { 0 };
        let is_lost = connection.cut_off >= CUT_OFF_MOST && !connection.is_seeking;
        if is_lost {
            connection.is_seeking = true;
            connection.seek_pause_us = TICK_US;
        }
        self.settle(client, answers)?;
        for node in fresh {
            self.after(0, Event::Client(client, ClientEvent::Reach(number, node)));
        }
        if is_lost {
            self.after(0, Event::Client(client, ClientEvent::Seek(number, 0)));
        }
        self.after(TICK_US, Event::Client(client, ClientEvent::Tick(number)));
        self.look_after_streams(client)
    }

    /// The client's machine notices which of its streams lead nowhere.
    fn look_after_streams(&mut self, client: usize) -> Verdict {
        let streams: Vec<StreamId> = self.clients[client].connection.ways().map(|(_, id)| id).collect();
        for id in streams {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            if !self.network.connects(super::Place::Client(client), stream.node.into()) {
                let since_us = *stream.cut_since_us.get_or_insert(self.now_us);
                if since_us + CUT_MOST_US <= self.now_us {
                    self.lose_stream(id, Error::unavailable("the node does not answer pings"))?;
                }
                continue;
            }
            stream.cut_since_us = None;
            if self.machines[stream.node.0 as usize - 1].incarnation() != stream.incarnation {
                self.lose_stream(id, Error::unavailable("the node closed the connection"))?;
            }
        }
        Ok(())
    }

    /// Whoever keeps a stream to a node opens one, for as long as the cluster has the node.
    pub(super) fn reach(&mut self, client: usize, node: NodeId) {
        let now_us = self.now_us;
        let connection = &mut self.clients[client].connection;
        let number = connection.number;
        if !connection.session.is_listed(node) {
            connection.tended.remove(&node);
            return;
        }
        let Some(tending) = connection.tended.get_mut(&node) else { return };
        tending.begun_us = now_us;
        if connection.session.is_open_to(node) {
            // Whoever looked for any node has found this one.
            let again = Event::Client(client, ClientEvent::Reach(number, node));
            return self.after(RECONNECT_MOST_US, again);
        }
        self.open_stream(client, node, Opener::Tend);
    }

    /// Whoever looks for any node tries the next address, each client in an order of its own.
    pub(super) fn seek(&mut self, client: usize, at: usize) {
        let connection = &mut self.clients[client].connection;
        let number = connection.number;
        if !connection.session.is_cut_off() {
            connection.is_seeking = false;
            return;
        }
        if at < self.founders as usize {
            let node = NodeId(1 + (client + at) as u64 % self.founders);
            return self.open_stream(client, node, Opener::Seek { at });
        }
        let pause_us = connection.seek_pause_us;
        connection.seek_pause_us = RECONNECT_MOST_US.min(pause_us * 2);
        self.after(pause_us, Event::Client(client, ClientEvent::Seek(number, 0)));
    }

    /// A node has said something.
    pub(super) fn hear_node(&mut self, id: StreamId, down: Down) -> Verdict {
        match down {
            Down::Welcome(identity) => self.welcomed(id, identity),
            Down::Refused(error) => self.lose_stream(id, error),
            Down::Reply(reply) => self.replied(id, reply),
            Down::Topology(topology) => {
                let Some(client) = self.client_of(id) else { return Ok(()) };
                let now_us = self.now_us;
                self.clients[client].connection.session.handle_topology(topology, now_us);
                self.settle(client, Answers::new())
            }
        }
    }

    /// Whose stream it is, unless that client has another connection by now.
    fn client_of(&self, id: StreamId) -> Option<usize> {
        let stream = self.streams.get(&id)?;
        let connection = &self.clients[stream.client].connection;
        (connection.number == stream.connection).then_some(stream.client)
    }

    fn welcomed(&mut self, id: StreamId, identity: Identity) -> Verdict {
        let Some(client) = self.client_of(id) else { return Ok(()) };
        let (now_us, mut answers) = (self.now_us, Answers::new());
        let stream = &self.streams[&id];
        let (node, asked) = (stream.node, stream.hello.identity);
        let (max_outstanding, max_frame_bytes) = (WINDOW, FRAME_MOST_BYTES);
        let welcome = Welcome { node, asked, identity, max_outstanding, max_frame_bytes };
        let connection = &mut self.clients[client].connection;
        self.seen.renewed += u64::from(asked.is_some_and(|asked| asked != identity));
        let link = connection.session.handle_welcome(&welcome, now_us, &mut answers);
        // The streams that this one replaces end first: its link may have the number of one of theirs.
        self.end_broken(client)?;
        let Some(link) = link else {
            self.settle(client, answers)?;
            return self.lose_stream(id, Error::unavailable("the session has gone on over another stream"));
        };
        let connection = &mut self.clients[client].connection;
        connection.take_way(link, id);
        let is_found = matches!(self.streams[&id].opener, Opener::Seek { .. });
        let is_new = is_found && !connection.tended.contains_key(&node);
        connection.is_seeking &= !is_found;
        if is_new {
            connection.tended.insert(node, Tending::begin(now_us));
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.link = Some(link);
            if is_new {
                stream.opener = Opener::Tend;
            }
        }
        self.settle(client, answers)
    }

    fn replied(&mut self, id: StreamId, reply: Reply) -> Verdict {
        let Some(client) = self.client_of(id) else { return Ok(()) };
        let link = self.streams.get(&id).and_then(|stream| stream.link);
        let Some(link) = link.filter(|link| self.clients[client].connection.is_current(*link, id)) else {
            return Ok(());
        };
        if let Some((partition, request)) = reply.about {
            acknowledged::told(self.oracles.of(partition), request, &reply.answer)?;
        }
        let (now_us, mut answers) = (self.now_us, Answers::new());
        let session = &mut self.clients[client].connection.session;
        session.handle_reply(link, reply.tag, reply.answer, now_us, &mut answers);
        self.settle(client, answers)
    }

    /// A stream breaks, or was never of use, as its client sees it. Another is opened, by whoever opened this one.
    pub(super) fn lose_stream(&mut self, id: StreamId, outage: Error) -> Verdict {
        let (client, now_us) = (self.client_of(id), self.now_us);
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) else { return Ok(()) };
        stream.is_over = true;
        stream.up.cut_off();
        let (node, link, opener) = (stream.node, stream.link, stream.opener);
        self.clear_away(id);
        let Some(client) = client else { return Ok(()) };
        let connection = &mut self.clients[client].connection;
        match link {
            Some(link) if connection.is_current(link, id) => {
                self.seen.broken += 1;
                connection.end_way(link);
                connection.session.handle_disconnect(link, outage, now_us);
                self.settle(client, Answers::new())?;
            }
            Some(_) => {}
            None => connection.session.handle_outage(outage),
        }
        let connection = &mut self.clients[client].connection;
        let number = connection.number;
        match opener {
            Opener::Tend => {
                let pause_us = connection.tended.get_mut(&node).map(|tending| tending.pause_us(now_us));
                if let Some(pause_us) = pause_us {
                    self.after(pause_us, Event::Client(client, ClientEvent::Reach(number, node)));
                }
            }
            Opener::Seek { at } if link.is_none() => {
                self.after(0, Event::Client(client, ClientEvent::Seek(number, at + 1)));
            }
            // The node's own task opens the next one.
            Opener::Seek { .. } => {}
        }
        Ok(())
    }

    /// A client has no stream any more, and then its session is over.
    pub(in crate::cluster) fn abandon(&mut self, client: usize) -> Verdict {
        let its = self.streams.iter().filter(|(_, stream)| stream.client == client);
        for id in its.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.lose_stream(id, Error::unavailable("the network is gone"))?;
        }
        if let Some(identity) = self.clients[client].connection.session.identity() {
            self.abandon_session(identity.session);
        }
        Ok(())
    }

    /// Ends the streams that the session has given up.
    fn end_broken(&mut self, client: usize) -> Verdict {
        for id in self.clients[client].connection.end_broken() {
            self.seen.broken += 1;
            self.lose_stream(id, Error::unavailable("the stream was given up"))?;
        }
        Ok(())
    }

    /// Hands answers to their callers, ends what the session has given up, and wakes whoever has something to write.
    pub(super) fn settle(&mut self, client: usize, answers: Answers<Done>) -> Verdict {
        for (caller, answer) in answers {
            self.conclude(client, caller.call, answer)?;
        }
        self.end_broken(client)?;
        let connection = &self.clients[client].connection;
        let ways = connection.ways().filter(|(link, _)| connection.session.wants_to_send(*link));
        for id in ways.map(|(_, id)| id).collect::<Vec<_>>() {
            self.write_soon(id);
        }
        Ok(())
    }

    /// What gathers meanwhile goes into the same frame.
    fn write_soon(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !std::mem::replace(&mut stream.is_writing, true) {
            let delay_us = self.dice.below(150);
            self.after(delay_us, Event::Stream(id, StreamEvent::Write));
        }
    }

    /// One frame, if there is anything to put into it.
    pub(super) fn write(&mut self, id: StreamId) -> Verdict {
        let Some(client) = self.client_of(id) else { return Ok(()) };
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        stream.is_writing = false;
        let connection = &mut self.clients[client].connection;
        let Some(link) = stream.link.filter(|link| connection.is_current(*link, id)) else { return Ok(()) };
        let mut ops = Vec::new();
        let put = |draft: &Draft, tag, number| ops.push(Sent { tag, number, alias: 0, draft: draft.clone() });
        let Some(acknowledged_below) = connection.session.frame(link, put) else { return Ok(()) };
        let wants_more = connection.session.wants_to_send(link);
        ops.iter_mut().try_for_each(|op| self.sent(client, op, acknowledged_below))?;
        self.push_up(id, Up::Frame { acknowledged_below, ops });
        if wants_more {
            self.write_soon(id);
        }
        Ok(())
    }

    /// An operation leaves, maybe not for the first time.
    fn sent(&mut self, client: usize, op: &mut Sent, acknowledged_below: u64) -> Verdict {
        let Some(identity) = self.clients[client].connection.session.identity() else {
            return Err("a session sends before a node knows it".into());
        };
        let number = op.draft.call;
        let call = self.clients[client].calls.get_mut(&number);
        let call = call.ok_or_else(|| format!("call {number} is answered, and sent"))?;
        call.sent += 1;
        let (is_first, asked_us) = (call.sent == 1, call.asked_us);
        self.seen.repeated += u64::from(!is_first);
        if self.plan.new_numbers && !is_first {
            op.alias = ALIAS;
        }
        let Some(id) = op.id(identity.session) else { return Ok(()) };
        ensure(id.number >= acknowledged_below, || format!("{id:?} is sent, and said to be settled"))?;
        let before = *call.id.get_or_insert(id);
        ensure(before == id || op.alias > 0, || format!("what was {before:?} is sent again as {id:?}"))?;
        if (is_first || op.alias > 0)
            && let Some(request) = op.request(Default::default(), identity.session, acknowledged_below)
        {
            self.asked(&request, is_first.then_some(asked_us));
        }
        Ok(())
    }

    /// The oracles hear of a request, by its name.
    fn asked(&mut self, request: &Request, asked_us: Option<u64>) {
        self.oracles.asked(request);
        if let Some(asked_us) = asked_us.filter(|_| self.is_ordered(request.map)) {
            self.oracles.linear.asked(request, asked_us);
        }
    }
}
