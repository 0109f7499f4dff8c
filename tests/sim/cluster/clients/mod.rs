//! Clients: what each of them does with its session, and what it makes of the answers.

mod counters;
mod members;
mod registers;
mod scored;
mod tallies;

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::partition::{Op, Outcome, View};
use embergrid::store::Record;
use embergrid::types::{Error, Key, MapId, NodeId, PartitionId, SessionId};

use super::events::Read;
use super::session::Session;
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
    pub(crate) session: Session,
    pub(crate) work: Box<dyn Work>,
    /// By partition: where it takes the primary to be.
    places: Vec<NodeId>,
    /// Reads under way, by number.
    pub(crate) reads: BTreeMap<u64, Read>,
    pub(crate) next_read: u64,
}

impl Client {
    pub(crate) fn place(&self, partition: PartitionId) -> NodeId {
        self.places[usize::from(partition.0)]
    }

    /// Its primary is elsewhere: where it was said to be, or anywhere.
    pub(crate) fn look_elsewhere(&mut self, partition: PartitionId, node: NodeId) {
        self.places[usize::from(partition.0)] = node;
    }
}

/// The clients of a run, with sessions from 1.
pub(crate) fn all(partitions: u16) -> Vec<Client> {
    let works: Vec<Box<dyn Work>> = vec![
        Box::new(registers::Registers::new()),
        Box::new(registers::Registers::new()),
        Box::new(registers::Registers::new()),
        Box::new(counters::Counters::new()),
        Box::new(counters::Counters::new()),
        Box::new(tallies::Tallies::new()),
        Box::new(tallies::Tallies::new()),
        Box::new(members::Members::new()),
        Box::new(scored::Scored::new()),
        Box::new(scored::Scored::new()),
    ];
    let client = |(number, work): (usize, Box<dyn Work>)| Client {
        session: Session::new(SessionId(number as u64 + 1), number as u32),
        work,
        places: vec![NodeId(1); usize::from(partitions)],
        reads: BTreeMap::new(),
        next_read: 0,
    };
    works.into_iter().enumerate().map(client).collect()
}
