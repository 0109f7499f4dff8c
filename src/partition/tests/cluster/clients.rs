//! Sessions that repeat each request until it is answered for good.

use std::collections::BTreeMap;

use super::{super::bench::*, History, dice::Dice};
use crate::{
    partition::{Op, Origin, Outcome, PutMode, Request, Ttl},
    types::{Class, Error, RequestId, RowVersion, SchemaId, SessionId},
};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const OUTSTANDING: usize = 4;

pub(crate) struct Session {
    id: SessionId,
    next: u64,
    outstanding: BTreeMap<u64, Request>,
}

pub(crate) struct Clients {
    sessions: Vec<Session>,
    pub(crate) answered: u64,
    pub(crate) repeated: u64,
}

pub(crate) fn any_key(dice: &mut Dice) -> &'static str {
    KEYS[dice.index(KEYS.len())]
}

impl Clients {
    pub(crate) fn new(sessions: u64) -> Self {
        let session = |id| Session { id: SessionId(id), next: 1, outstanding: BTreeMap::new() };
        Clients { sessions: (1..=sessions).map(session).collect(), answered: 0, repeated: 0 }
    }

    /// Something new, or something old again.
    pub(crate) fn ask(&mut self, dice: &mut Dice) -> Request {
        let index = dice.index(self.sessions.len());
        let session = &mut self.sessions[index];
        if session.outstanding.len() >= OUTSTANDING || (!session.outstanding.is_empty() && dice.chance(400)) {
            let nth = dice.index(session.outstanding.len());
            let number = *session.outstanding.keys().nth(nth).unwrap();
            self.repeated += 1;
            return session.request(number);
        }
        let number = session.next;
        session.next += 1;
        let request = op(dice);
        session.outstanding.insert(number, request);
        session.request(number)
    }

    /// All that is unanswered, once more.
    pub(crate) fn repeat_all(&self) -> Vec<Request> {
        let sessions = self.sessions.iter();
        sessions
            .flat_map(|session| session.outstanding.keys().map(|number| session.request(*number)))
            .collect()
    }

    /// An answer arrives; those that only say "not now" or "not here" leave the request unanswered.
    pub(crate) fn told(&mut self, origin: Origin, answer: &Result<Outcome, Error>, history: &History) {
        let session = &mut self.sessions[origin.connection as usize - 1];
        let id = RequestId { session: session.id, number: origin.tag };
        let passing = [Class::NotPrimary, Class::Unavailable];
        if answer.as_ref().is_err_and(|error| passing.contains(&error.class)) {
            return;
        }
        if session.outstanding.remove(&origin.tag).is_some() {
            self.answered += 1;
            history.told(id, answer);
        }
    }
}

impl Session {
    fn request(&self, number: u64) -> Request {
        let lowest = self.outstanding.keys().next().copied().unwrap_or(self.next);
        Request {
            origin: Origin { connection: self.id.0 as u32, tag: number },
            id: Some(RequestId { session: self.id, number }),
            acknowledged_below: lowest,
            ..self.outstanding[&number].clone()
        }
    }
}

fn op(dice: &mut Dice) -> Request {
    let key = any_key(dice);
    let value = dice.below(1_000).to_string();
    let version = RowVersion(1 + dice.below(40));
    match dice.below(10) {
        0 => remove(0, key, None),
        1 => remove(0, key, Some(version.0)),
        2 => put_ttl(0, key, &value, 1 + dice.below(300)),
        3 => put_if(0, key, &value, PutMode::IfAbsent),
        4 => put_if(0, key, &value, PutMode::IfVersion(version)),
        5 => super::super::bench::op(0, PLAIN, key, Op::SetTtl { ttl: Some(Ttl { ms: 50 }) }),
        6 | 7 => {
            let value = card_row(SchemaId(1), f64::from(dice.below(100) as u32));
            let put = Op::Put { value, mode: PutMode::Always, want_old: dice.chance(500), ttl: None };
            super::super::bench::op(0, SCORED, key, put)
        }
        _ => put(0, key, &value),
    }
}
