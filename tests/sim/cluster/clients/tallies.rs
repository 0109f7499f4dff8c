//! Counters that clients read, raise and write back, if nobody else has meanwhile.

use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::store::Record;
use embergrid::types::{Error, Key};

use super::{Deed, Desk, Work};
use crate::grid;

const TALLIES: u64 = 3;
const OPS_A_KEY: u64 = 60;

#[derive(Default)]
pub(super) struct Tallies {
    is_waiting: bool,
    /// What it has read, and is to raise.
    read: Option<(Key, Option<Record>)>,
}

impl Tallies {
    pub(super) fn new() -> Self {
        Self::default()
    }
}

impl Work for Tallies {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        if self.is_waiting {
            return None;
        }
        self.is_waiting = true;
        let map = grid::map_id(desk.view, grid::TALLIES);
        let Some((key, found)) = self.read.take() else {
            let tally = TALLIES + 100 + desk.dice.below(TALLIES);
            return Some(Deed::Read(map, Key::from(desk.oracles.turns.key(tally, OPS_A_KEY))));
        };
        let count = found.as_ref().map_or(0, |record| grid::read(desk.view, map, record.value()).0);
        let mode = found.map_or(PutMode::IfAbsent, |record| PutMode::IfVersion(record.row_version()));
        let value = grid::value(desk.view, map, count + 1).into();
        desk.oracles.tallies.asked(&key);
        Some(Deed::Write(map, key, Op::Put { value, mode, want_old: false, ttl: None }))
    }

    fn read(&mut self, _: &mut Desk<'_>, key: &Key, found: Option<Option<&Record>>) {
        self.is_waiting = false;
        self.read = found.map(|found| (key.clone(), found.cloned()));
    }

    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, _: &Op, answer: Option<&Result<Outcome, Error>>) {
        self.is_waiting = false;
        if let Some(answer) = answer {
            desk.oracles.tallies.answered(key, answer.as_ref().is_ok_and(|outcome| outcome.applied));
        }
    }

    fn is_patient(&self) -> bool {
        true
    }
}
