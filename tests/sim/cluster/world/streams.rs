//! Streams between clients and nodes: what is sent on them, and how they stall and break.

use embergrid::session::Hello;
use embergrid::types::{Error, NodeId};

use super::super::connection::CONNECT_US;
use super::super::events::Event;
use super::super::oracle::Verdict;
use super::super::stream::{Down, Opener, Stream, StreamEvent, StreamId, Up};
use super::{Place, World};

impl World {
    /// A client says hello to a node.
    pub(super) fn open_stream(&mut self, client: usize, node: NodeId, opener: Opener) {
        let connection = &self.clients[client].connection;
        let (number, hello): (u64, Hello) = (connection.number, connection.session.hello());
        self.last_stream += 1;
        let id = StreamId(self.last_stream);
        self.streams.insert(id, Stream::new(client, number, node, opener, hello));
        self.seen.streams += 1;
        self.push_up(id, Up::Hello);
        self.after(CONNECT_US, Event::Stream(id, StreamEvent::TimeOut));
    }

    pub(super) fn push_up(&mut self, id: StreamId, up: Up) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) {
            stream.up.push(up);
            self.send(id);
        }
    }

    pub(super) fn push_down(&mut self, id: StreamId, down: Down) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) {
            stream.down.push(down);
            self.send(id);
        }
    }

    /// Something leaves. In bad weather, a stream may not survive that.
    fn send(&mut self, id: StreamId) {
        self.flow(id);
        if self.dice.percent(self.network.weather.lost / 4) {
            let delay_us = self.dice.below(50_000);
            let reset = StreamEvent::Break(Error::unavailable("the connection was reset"));
            self.after(delay_us, Event::Stream(id, reset));
        }
    }

    /// What waits on a stream goes on its way, where the network lets it.
    fn flow(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (client, node) = (Place::Client(stream.client), Place::from(stream.node));
        let mut due = Vec::new();
        while stream.up.is_stalled() && !self.network.is_cut(client, node) {
            let transit_us = self.network.transit_us(&mut self.dice);
            due.push((stream.up.move_on(self.now_us + transit_us), StreamEvent::Up));
        }
        while stream.down.is_stalled() && !self.network.is_cut(node, client) {
            let transit_us = self.network.transit_us(&mut self.dice);
            due.push((stream.down.move_on(self.now_us + transit_us), StreamEvent::Down));
        }
        for (at_us, event) in due {
            self.after(at_us - self.now_us, Event::Stream(id, event));
        }
    }

    /// The network is whole again.
    pub(in crate::cluster) fn flow_again(&mut self) {
        let all: Vec<StreamId> = self.streams.keys().copied().collect();
        all.into_iter().for_each(|id| self.flow(id));
    }

    pub(super) fn stream(&mut self, id: StreamId, event: StreamEvent) -> Verdict {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        match event {
            StreamEvent::Up => return self.arrive_at_node(id),
            StreamEvent::Down => {
                if let Some(down) = stream.down.arrive()
                    && !stream.is_over
                {
                    self.trace.down(&down);
                    return self.hear_node(id, down);
                }
            }
            StreamEvent::Write => self.write(id)?,
            StreamEvent::Break(outage) => return self.lose_stream(id, outage),
            StreamEvent::TimeOut if stream.link.is_none() => {
                let outage = Error::unavailable("the node opens no session");
                return self.lose_stream(id, outage);
            }
            StreamEvent::TimeOut => {}
        }
        Ok(())
    }

    fn arrive_at_node(&mut self, id: StreamId) -> Verdict {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let (node, now_us) = (stream.node, self.now_us);
        let machine = &self.machines[node.0 as usize - 1];
        if machine.paused_until_us > now_us {
            let wait_us = machine.paused_until_us - now_us;
            self.after(wait_us, Event::Stream(id, StreamEvent::Up));
            return Ok(());
        }
        if stream.is_over && !self.is_calm && !stream.is_late && self.dice.percent(25) {
            // The client has sent it again long ago when it turns up.
            stream.is_late = true;
            let delay_us = self.dice.below(3_000_000);
            self.after(delay_us, Event::Stream(id, StreamEvent::Up));
            return Ok(());
        }
        let up = stream.up.arrive();
        let is_there = machine.host.is_some()
            && (stream.incarnation.is_none() || stream.incarnation == machine.incarnation());
        let said = match up {
            Some(up) if is_there => {
                self.trace.up(&up);
                self.take_up(node, id, up)
            }
            Some(Up::Hello) => {
                let refused = StreamEvent::Break(Error::unavailable("nobody listens there"));
                let transit_us = self.network.transit_us(&mut self.dice);
                self.after(transit_us, Event::Stream(id, refused));
                Ok(())
            }
            _ => Ok(()),
        };
        self.clear_away(id);
        said
    }

    /// A stream of which nothing is left is forgotten.
    pub(super) fn clear_away(&mut self, id: StreamId) {
        if self.streams.get(&id).is_some_and(|stream| stream.is_over && !stream.up.is_moving()) {
            self.streams.remove(&id);
        }
    }
}
