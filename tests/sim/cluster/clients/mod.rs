//! Clients: what each of them does with its session, and what it makes of the answers.

mod counters;
mod lists;
mod members;
mod registers;
mod scored;
mod tallies;

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::partition::{Op, Outcome, View};
use embergrid::store::Record;
use embergrid::types::{Error, Key, MapId, RequestId};

use super::connection::Connection;
use super::draft::{Action, Draft};
use crate::cluster::oracle::Oracles;
use crate::dice::Dice;

/// What a client does next.
pub(crate) enum Deed {
    Read(MapId, Key),
    Write(MapId, Key, Op),
}

/// What a client works by.
pub(crate) struct Desk<'a> {
    pub(crate) dice: &'a mut Dice,
    pub(crate) view: &'a Arc<View>,
    pub(crate) oracles: &'a mut Oracles,
    /// When the call was made that is answered, and when it is.
    pub(crate) span_us: (u64, u64),
}

/// What a client is about.
pub(crate) trait Work {
    /// The next deed; none if it has to wait for an answer.
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed>;

    /// A row was read; none for an error.
    fn read(&mut self, _desk: &mut Desk<'_>, _key: &Key, _found: Option<Option<&Record>>) {}

    /// The last word on a write; none if nobody knows what became of it.
    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, op: &Op, answer: Option<&Result<Outcome, Error>>);

    /// Whether it repeats a write until it is answered, however long that takes.
    fn is_patient(&self) -> bool;
}

/// One client.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) work: Box<dyn Work>,
    /// What is not answered, by number.
    pub(crate) calls: BTreeMap<u32, Call>,
    next_call: u32,
}

/// One operation whose caller waits.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) draft: Draft,
    pub(crate) asked_us: u64,
    /// How often it was sent, and under which name if it is a write.
    pub(crate) sent: u32,
    pub(crate) id: Option<RequestId>,
}

impl Client {
    /// Somebody calls.
    pub(crate) fn call(&mut self, map: MapId, key: Key, action: Action, now_us: u64) -> Draft {
        let draft = Draft { call: self.next_call, map, key, action };
        let call = Call { draft: draft.clone(), asked_us: now_us, sent: 0, id: None };
        self.calls.insert(draft.call, call);
        self.next_call += 1;
        draft
    }

    /// Reads and writes that are not answered.
    pub(crate) fn under_way(&self) -> (usize, usize) {
        let is_read = |call: &&Call| matches!(call.draft.action, Action::Read);
        let reads = self.calls.values().filter(is_read).count();
        (reads, self.calls.len() - reads)
    }
}

/// The clients of a run.
pub(crate) fn all() -> Vec<Client> {
    let works: Vec<Box<dyn Work>> = vec![
        Box::new(registers::Registers::new()),
        Box::new(registers::Registers::new()),
        Box::new(registers::Registers::new()),
        Box::new(counters::Counters::new()),
        Box::new(counters::Counters::new()),
        Box::new(tallies::Tallies::new()),
        Box::new(tallies::Tallies::new()),
        Box::new(members::Members::new()),
        Box::new(lists::Lists::new(1_000_000)),
        Box::new(lists::Lists::new(2_000_000)),
        Box::new(scored::Scored::new()),
        Box::new(scored::Scored::new()),
    ];
    let client = |work| Client { connection: Connection::new(0), work, calls: BTreeMap::new(), next_call: 1 };
    works.into_iter().map(client).collect()
}
