//! What of an event goes into the hash.

use super::Trace;
use crate::cluster::events::{Arrival, Batch, ClientEvent, ControlEvent, Event, Inner, SubscriberEvent};
use crate::cluster::stream::{Down, StreamEvent, Up};

impl Trace {
    /// Something happens.
    pub(crate) fn event(&mut self, now_us: u64, event: &Event) {
        self.add(now_us);
        self.add_kind(event);
        match event {
            Event::Arrives(node, arrival) => {
                self.add(node);
                self.arrival(arrival);
            }
            Event::Within(node, incarnation, inner) => {
                self.add((node, incarnation));
                self.inner(inner);
            }
            Event::Control(event) => self.control(event),
            Event::Client(client, event) => {
                self.add(client);
                self.client(event);
            }
            Event::Stream(id, event) => {
                self.add(id.0);
                self.add_kind(event);
                if let StreamEvent::Break(outage) = event {
                    self.add_text(outage);
                }
            }
            Event::Subscriber(subscriber, partition, event) => {
                self.add((subscriber, partition));
                self.subscriber(event);
            }
            Event::PowerOn(node) => self.add(node),
            Event::Crash { node, back_us } => self.add((node, back_us)),
            Event::Start { node, life } => self.add((node, life)),
            Event::Boot { node, life, incarnation, index } => self.add((node, life, incarnation, index)),
            Event::Stop { node, life, until_us, back_us } => self.add((node, life, until_us, back_us)),
            Event::Trouble(number) => self.add(number),
            Event::Flap(flap) => self.add(flap),
            Event::Strand { node, roll, for_us } => self.add((node, roll, for_us)),
            Event::Part { a, b, for_us } => self.add((a, b, for_us)),
            Event::Swap(swap) => self.add(swap),
            Event::Mend | Event::Clear | Event::Elect | Event::Operator => {}
        }
    }

    fn arrival(&mut self, arrival: &Arrival) {
        self.add_kind(arrival);
        match arrival {
            Arrival::Post(message) => self.add_message(message),
            Arrival::Told(told) => self.add_text(told),
            Arrival::Passed(Batch { number, from, session, acknowledged_below, ops }) => {
                self.add((number, from, session, acknowledged_below));
                ops.iter().for_each(|op| self.add((op.tag, op.number)));
            }
            Arrival::Forwarded { from, forwarded, until_us } => {
                self.add((from, forwarded.to, forwarded.partition, forwarded.placement, until_us));
                self.add_request(&forwarded.request);
            }
            Arrival::Subscriber(partition, subscription) => {
                self.add(partition);
                self.add_text(subscription);
            }
        }
    }

    fn inner(&mut self, inner: &Inner) {
        self.add_kind(inner);
        match inner {
            Inner::Work | Inner::Beat | Inner::Bookmark | Inner::Deposed => {}
            Inner::Wake(at_us) | Inner::SupervisorTick(at_us) => self.add(at_us),
            Inner::Post(message) => self.add_message(message),
            Inner::Look { read, reader } => self.add((read.slot, reader.epoch())),
            Inner::Check { read, reader, found, .. } => {
                self.add((read.slot, reader.epoch()));
                self.add_row(found.as_ref());
            }
            Inner::Answer { by, answer, index, until_us } => {
                self.add_text(by);
                self.add((index, until_us));
                self.add_text(answer);
            }
            Inner::Confirmed { round, confirmed, index } => self.add((round, confirmed, index)),
            Inner::TakeLead { term } => self.add(term),
            Inner::Greet { stream, until_us } => self.add((stream.0, until_us)),
            Inner::TellPlaces(stream) => self.add(stream.0),
            Inner::Returned { batch, replies } => {
                self.add(batch);
                replies.iter().for_each(|reply| self.add_reply(reply));
            }
            Inner::Lost { batch } => self.add(batch),
            Inner::Paid { slot, answer } => {
                self.add(slot);
                self.add_result(answer.as_ref());
            }
        }
    }

    fn control(&mut self, event: &ControlEvent) {
        self.add_kind(event);
        match event {
            ControlEvent::Propose(asked) => self.add_text(asked),
            ControlEvent::Commit { number, term } => self.add((number, term)),
            ControlEvent::Look => {}
            ControlEvent::Learn(node) => self.add(node),
            ControlEvent::Evaluate { node, incarnation, round } => self.add((node, incarnation, round)),
        }
    }

    fn client(&mut self, event: &ClientEvent) {
        self.add_kind(event);
        match event {
            ClientEvent::Think => {}
            ClientEvent::Tick(connection) => self.add(connection),
            ClientEvent::Reach(connection, node) => self.add((connection, node)),
            ClientEvent::Seek(connection, at) => self.add((connection, at)),
        }
    }

    fn subscriber(&mut self, event: &SubscriberEvent) {
        self.add_kind(event);
        match event {
            SubscriberEvent::Connect => {}
            SubscriberEvent::Message(id, message) => {
                self.add(id);
                self.add_news(message);
            }
            SubscriberEvent::Ended(id, hint) => self.add((id, hint)),
        }
    }

    /// Something has come over a client's stream.
    pub(crate) fn up(&mut self, up: &Up) {
        self.add_kind(up);
        if let Up::Frame { acknowledged_below, ops } = up {
            self.add(acknowledged_below);
            ops.iter().for_each(|op| self.add((op.tag, op.number, op.draft.call)));
        }
    }

    /// Something has come back.
    pub(crate) fn down(&mut self, down: &Down) {
        match down {
            Down::Reply(reply) => self.add_reply(reply),
            other => self.add_text(other),
        }
    }
}
