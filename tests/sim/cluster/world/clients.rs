//! What clients do, and what reaches them.

use embergrid::partition::{Outcome, Request};
use embergrid::store::Record;
use embergrid::types::{Class, Error, Key, NodeId, RequestId, SessionId};

use super::super::clients::{Deed, Desk};
use super::super::events::{Arrival, ClientEvent, Event, Read};
use super::super::host::Message;
use super::super::oracle::{Verdict, acknowledged, once::ALIAS};
use super::super::session::Verdict as Next;
use super::{Place, World};
use crate::grid;

/// A read is tried so often.
const READ_ATTEMPTS: u32 = 12;
const SILENCE_US: u64 = 150_000;

impl World {
    pub(super) fn client(&mut self, client: usize, event: ClientEvent) -> Verdict {
        match event {
            ClientEvent::Think => self.think(client),
            ClientEvent::Send(number) => self.send(client, number),
            ClientEvent::Silence { number, attempt } => {
                let now_us = self.now_us;
                let next = self.clients[client].session.handle_silence(number, attempt, now_us);
                if let Next::Again { .. } = next
                    && let Some(request) = self.clients[client].session.request(number)
                {
                    let key = request.key.clone();
                    self.look_elsewhere(client, &key, None);
                }
                return self.go_on(client, number, next);
            }
            ClientEvent::Answer { number, answer, hint } => {
                return self.answered(client, number, *answer, hint);
            }
            ClientEvent::SendRead(read) => self.send_read(client, read),
            ClientEvent::ReadSilence { id, attempt } => {
                let read = self.clients[client].reads.get(&id).cloned();
                if let Some(read) = read.filter(|read| read.attempt == attempt) {
                    self.read_again(client, read, None);
                }
            }
            ClientEvent::ReadAnswer { read, answer, hint } => {
                self.read_answered(client, read, answer, hint);
            }
        }
        Ok(())
    }

    fn think(&mut self, client: usize) {
        if self.is_calm {
            return;
        }
        let pause_us = self.plan.pause_us;
        let pause_us = self.dice.between(pause_us / 4, pause_us * 2);
        self.after(pause_us, Event::Client(client, ClientEvent::Think));
        if self.clients[client].session.unanswered() == 0 && self.dice.percent(2) {
            self.renew_session(client);
        }
        let of = &mut self.clients[client];
        if of.session.unanswered() >= 4 || !of.session.has_room() || of.reads.len() >= 3 {
            return;
        }
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles };
        match of.work.next(&mut desk) {
            None => {}
            Some(Deed::Read(map, key)) => {
                let id = of.next_read;
                of.next_read += 1;
                self.send_read(client, Read { id, map, key, asked_us: self.now_us, attempt: 1 });
            }
            Some(Deed::Write(map, key, op)) => {
                let patience_us = if of.work.is_patient() || self.dice.percent(90) {
                    u64::MAX / 2
                } else {
                    self.dice.between(50_000, 2_000_000)
                };
                let number = of.session.ask(map, key, op, self.now_us.saturating_add(patience_us));
                if let Some(request) = of.session.request(number).cloned() {
                    self.oracles.asked(&request);
                    if self.is_ordered(&request) {
                        self.oracles.linear.asked(&request, self.now_us);
                    }
                }
                self.send(client, number);
            }
        }
    }

    /// A session ends, and another begins. All nodes hear of it, or do not.
    fn renew_session(&mut self, client: usize) {
        self.sessions += 1;
        self.seen.sessions += 1;
        let (ended, next) = (self.clients[client].session.id, SessionId(self.sessions));
        self.clients[client].session = self.clients[client].session.renewed(next);
        for node in (1..=super::NODES).map(NodeId) {
            if let Some(delay_us) = self.network.delay_us(&mut self.dice, Place::Client(client), node.into())
            {
                let end = Arrival::Post(Message::EndSession(ended));
                self.after(delay_us, Event::Arrives(node, end));
            }
        }
    }

    /// Whether the order of the operations on its key is checked.
    fn is_ordered(&self, request: &Request) -> bool {
        [grid::PLAIN, grid::TALLIES].iter().any(|name| grid::map_id(&self.view, name) == request.map)
    }

    fn send(&mut self, client: usize, number: u64) {
        let Some((mut request, attempt)) = self.clients[client].session.send(number) else { return };
        self.seen.repeated += u64::from(attempt > 1);
        if self.plan.new_numbers && attempt > 1 {
            request.id = request.id.map(|id| RequestId { session: SessionId(id.session.0 + ALIAS), ..id });
            self.oracles.asked(&request);
        }
        let partition = self.oracles.partition_of(&request.key);
        let node = self.clients[client].place(partition);
        let copies = 1 + u64::from(self.network.arrives_twice(&mut self.dice));
        for copy in 0..copies {
            let Some(delay_us) = self.network.delay_us(&mut self.dice, Place::Client(client), node.into())
            else {
                continue;
            };
            // A copy may turn up much later, and elsewhere.
            let late = copy > 0 && self.dice.percent(50);
            let delay_us = if late { self.dice.below(3_000_000) } else { delay_us };
            let to = if late { self.any_node() } else { node };
            let request = request.clone();
            self.after(delay_us, Event::Arrives(to, Arrival::Request { partition, request }));
        }
        let silence_us = SILENCE_US + self.dice.below(SILENCE_US);
        self.after(silence_us, Event::Client(client, ClientEvent::Silence { number, attempt }));
    }

    /// A node answers a request.
    pub(super) fn reply(
        &mut self,
        node: NodeId,
        origin: embergrid::partition::Origin,
        answer: Result<Outcome, Error>,
        at_once: bool,
    ) -> Verdict {
        let (client, number) = (origin.connection as usize, origin.tag);
        self.note(200 + origin.connection as u64, number);
        let session = &self.clients[client].session;
        let Some(request) = session.request(number) else { return Ok(()) };
        let partition = self.oracles.partition_of(&request.key);
        let id = RequestId { session: session.id, number };
        if answer.is_ok() {
            let is_known = self.oracles.of(partition).answer(id).is_some();
            self.seen.from_record += u64::from(at_once && is_known);
        }
        let hint = self.machine(node).host.as_ref().and_then(|host| host.primary(partition));
        if let Some(delay_us) = self.network.delay_us(&mut self.dice, node.into(), Place::Client(client)) {
            let answer = Box::new(answer);
            self.after(delay_us, Event::Client(client, ClientEvent::Answer { number, answer, hint }));
        }
        Ok(())
    }

    fn answered(
        &mut self,
        client: usize,
        number: u64,
        answer: Result<Outcome, Error>,
        hint: Option<NodeId>,
    ) -> Verdict {
        let refusal = answer.as_ref().err().map(|error| error.class);
        if let (Some(Class::NotPrimary | Class::Unavailable), Some(request)) =
            (refusal, self.clients[client].session.request(number))
        {
            let key = request.key.clone();
            self.look_elsewhere(client, &key, hint);
        }
        let now_us = self.now_us;
        let request = self.clients[client].session.request(number).cloned();
        let next = self.clients[client].session.handle_answer(number, answer, now_us);
        if let (Next::Final(answer), Some(request)) = (&next, &request)
            && let Some(id) = request.id
        {
            let partition = self.oracles.partition_of(&request.key);
            acknowledged::told(self.oracles.of(partition), id, answer)?;
            self.note(300 + client as u64, number);
            self.conclude(client, request, Some(answer));
            return Ok(());
        }
        if let (Next::GivenUp, Some(request)) = (&next, &request) {
            self.conclude(client, request, None);
        }
        self.go_on(client, number, next)
    }

    /// The last word on a request.
    fn conclude(&mut self, client: usize, request: &Request, answer: Option<&Result<Outcome, Error>>) {
        // What was refused for the moment, or for the time it took, may have taken effect under another copy.
        let is_definite = |answer: &&Result<Outcome, Error>| {
            !answer.as_ref().is_err_and(|error| matches!(error.class, Class::Overloaded | Class::Deadline))
        };
        let answer = answer.filter(is_definite);
        match answer {
            Some(answer) => {
                self.seen.operations += 1;
                if self.is_ordered(request)
                    && let Some(id) = request.id
                {
                    self.oracles.linear.answered(id, answer, self.now_us);
                }
            }
            None => self.seen.given_up += 1,
        }
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles };
        self.clients[client].work.written(&mut desk, &request.key, &request.op, answer);
    }

    fn go_on(&mut self, client: usize, number: u64, next: Next) -> Verdict {
        if let Next::Again { after_us } = next {
            self.after(after_us, Event::Client(client, ClientEvent::Send(number)));
        }
        Ok(())
    }

    /// The primary is not where the client thought: it is where it was said to be, or anywhere.
    fn look_elsewhere(&mut self, client: usize, key: &Key, hint: Option<NodeId>) {
        let partition = self.oracles.partition_of(key);
        let believed = self.clients[client].place(partition);
        let node = match hint {
            Some(node) if node != believed || self.dice.percent(70) => node,
            _ => self.any_node(),
        };
        self.clients[client].look_elsewhere(partition, node);
    }

    fn send_read(&mut self, client: usize, read: Read) {
        let node = self.clients[client].place(self.oracles.partition_of(&read.key));
        let (id, attempt) = (read.id, read.attempt);
        self.clients[client].reads.insert(id, read.clone());
        if let Some(delay_us) = self.network.delay_us(&mut self.dice, Place::Client(client), node.into()) {
            self.after(delay_us, Event::Arrives(node, Arrival::Read { from: client, read }));
        }
        let silence_us = 2 * SILENCE_US + self.dice.below(SILENCE_US);
        self.after(silence_us, Event::Client(client, ClientEvent::ReadSilence { id, attempt }));
    }

    fn read_answered(
        &mut self,
        client: usize,
        read: Read,
        answer: Result<Option<Record>, Error>,
        hint: Option<NodeId>,
    ) {
        let Some(present) = self.clients[client].reads.get(&read.id) else { return };
        match answer {
            Ok(found) => {
                self.clients[client].reads.remove(&read.id);
                self.seen.operations += 1;
                self.seen.reads += 1;
                let ordered = [grid::PLAIN, grid::TALLIES].map(|name| grid::map_id(&self.view, name));
                if ordered.contains(&read.map) {
                    let within_us = (read.asked_us, self.now_us);
                    self.oracles.linear.read(read.map, read.key.packed(), found.as_ref(), within_us);
                }
                self.told_of_row(client, &read.key, Some(found.as_ref()));
            }
            Err(_) if present.attempt == read.attempt => self.read_again(client, read, hint),
            Err(_) => {}
        }
    }

    /// Another attempt, elsewhere and in a moment, unless there were too many.
    fn read_again(&mut self, client: usize, read: Read, hint: Option<NodeId>) {
        let read = Read { attempt: read.attempt + 1, ..read };
        if read.attempt > READ_ATTEMPTS {
            self.clients[client].reads.remove(&read.id);
            return self.told_of_row(client, &read.key, None);
        }
        self.look_elsewhere(client, &read.key, hint);
        self.clients[client].reads.insert(read.id, read.clone());
        let pause_us = self.dice.between(1_000, 60_000);
        self.after(pause_us, Event::Client(client, ClientEvent::SendRead(read)));
    }

    fn told_of_row(&mut self, client: usize, key: &Key, found: Option<Option<&Record>>) {
        let mut desk = Desk { dice: &mut self.dice, view: &self.view, oracles: &mut self.oracles };
        self.clients[client].work.read(&mut desk, key, found);
    }
}
