//! What clients call, and what they make of the answers.

use embergrid::partition::{Op, Outcome};
use embergrid::session::{Answers, Caller};
use embergrid::store::Record;
use embergrid::types::{Class, Error, MapId};

use super::super::clients::{Call, Deed, Desk};
use super::super::connection::Connection;
use super::super::draft::{Action, Done, What};
use super::super::events::{ClientEvent, Event};
use super::super::oracle::{Verdict, ensure};
use super::super::stream::{StreamId, Up};
use super::World;
use crate::grid;

impl World {
    pub(super) fn client(&mut self, client: usize, event: ClientEvent) -> Verdict {
        let present = self.clients[client].connection.number;
        match event {
            ClientEvent::Think => return self.think(client),
            ClientEvent::Tick(number) if number == present => return self.tick(client),
            ClientEvent::Reach(number, node) if number == present => self.reach(client, node),
            ClientEvent::Seek(number, at) if number == present => self.seek(client, at),
            // Of a connection that is over.
            ClientEvent::Tick(_) | ClientEvent::Reach(..) | ClientEvent::Seek(..) => {}
        }
        Ok(())
    }

    fn think(&mut self, client: usize) -> Verdict {
        if self.is_calm {
            return Ok(());
        }
        let pause_us = self.plan.pause_us;
        let pause_us = self.dice.between(pause_us / 4, pause_us * 2);
        self.after(pause_us, Event::Client(client, ClientEvent::Think));
        if self.dice.percent(1) && (self.clients[client].calls.is_empty() || self.dice.percent(20)) {
            self.leave(client);
        }
        let of = &mut self.clients[client];
        let (reads, writes) = of.under_way();
        if writes >= 4 || reads >= 3 {
            return Ok(());
        }
        let span_us = (self.now_us, self.now_us);
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles, span_us };
        let (map, key, action) = match of.work.next(&mut desk) {
            None => return Ok(()),
            Some(Deed::Read(map, key)) => (map, key, Action::Read),
            Some(Deed::Write(map, key, op)) => (map, key, Action::Write(op)),
        };
        let patience_us = if of.work.is_patient() || self.dice.percent(90) {
            u64::MAX / 2
        } else {
            self.dice.between(50_000, 2_000_000)
        };
        let draft = of.call(map, key, action, self.now_us);
        let caller = Caller { call: draft.call, index: 0 };
        let submitted = of.connection.session.submit(draft, caller, self.now_us + patience_us);
        submitted.map_err(|error| format!("an operation is refused before it is sent: {error}"))?;
        self.settle(client, Answers::new())
    }

    /// A client goes, and comes back with another connection. If nobody waits for an answer it says goodbye; else its
    /// process has ended.
    fn leave(&mut self, client: usize) {
        self.seen.sessions += 1;
        let is_goodbye = self.clients[client].calls.is_empty();
        let number = self.clients[client].connection.number;
        let streams: Vec<StreamId> = self.clients[client].connection.ways().map(|(_, id)| id).collect();
        for id in streams {
            if is_goodbye {
                self.push_up(id, Up::Goodbye);
            }
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.is_over = true;
                stream.up.cut_off();
                self.clear_away(id);
            }
        }
        for (_, call) in std::mem::take(&mut self.clients[client].calls) {
            self.give_up(client, &call);
        }
        self.clients[client].connection = Connection::new(number + 1);
        self.begin_connection(client);
    }

    /// Whether the order of the operations on a map's keys is checked.
    pub(super) fn is_ordered(&self, map: MapId) -> bool {
        [grid::PLAIN, grid::TALLIES].iter().any(|name| grid::map_id(&self.view, name) == map)
    }

    /// The last word on a call, and the only one.
    pub(super) fn conclude(&mut self, client: usize, number: u32, answer: Result<Done, Error>) -> Verdict {
        let call = self.clients[client].calls.remove(&number);
        let call = call.ok_or_else(|| format!("call {number} of client {client} is answered twice"))?;
        self.trace.add((client, number));
        self.trace.add_result(answer.as_ref().map(|done| &done.what));
        match answer {
            Ok(Done { call: of, what }) => {
                ensure(of == number, || format!("call {number} is given the answer to call {of}"))?;
                match (&call.draft.action, what) {
                    (Action::Read, What::Found(found)) => self.found(client, &call, found.as_ref()),
                    (Action::Write(op), What::Written(outcome)) => {
                        self.written(client, &call, op, &Ok(outcome))
                    }
                    (action, what) => return Err(format!("{action:?} is answered by {what:?}")),
                }
            }
            Err(error) => match &call.draft.action {
                // What was refused for the moment, or for the time it took, may have taken effect all the same.
                Action::Write(op) if is_definite(&error) => self.written(client, &call, op, &Err(error)),
                _ => self.give_up(client, &call),
            },
        }
        Ok(())
    }

    fn found(&mut self, client: usize, call: &Call, found: Option<&Record>) {
        self.seen.operations += 1;
        self.seen.reads += 1;
        let (map, key) = (call.draft.map, &call.draft.key);
        if self.is_ordered(map) {
            self.oracles.linear.read(map, key.packed(), found, (call.asked_us, self.now_us));
        }
        let span_us = (call.asked_us, self.now_us);
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles, span_us };
        self.clients[client].work.read(&mut desk, key, Some(found));
    }

    fn written(&mut self, client: usize, call: &Call, op: &Op, answer: &Result<Outcome, Error>) {
        self.seen.operations += 1;
        if let Some(id) = call.id.filter(|_| self.is_ordered(call.draft.map)) {
            self.oracles.linear.answered(id, answer, self.now_us);
        }
        let span_us = (call.asked_us, self.now_us);
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles, span_us };
        self.clients[client].work.written(&mut desk, &call.draft.key, op, Some(answer));
    }

    /// Nobody knows what became of a write; a read is not repeated.
    fn give_up(&mut self, client: usize, call: &Call) {
        self.seen.given_up += 1;
        let span_us = (call.asked_us, self.now_us);
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles, span_us };
        let work = &mut self.clients[client].work;
        match &call.draft.action {
            Action::Read => work.read(&mut desk, &call.draft.key, None),
            Action::Write(op) => work.written(&mut desk, &call.draft.key, op, None),
        }
    }
}

fn is_definite(error: &Error) -> bool {
    !matches!(error.class, Class::NotPrimary | Class::Overloaded | Class::Unavailable | Class::Deadline)
}
