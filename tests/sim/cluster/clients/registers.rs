//! A few keys that everybody reads, writes, removes and lets expire, under conditions and without.

use embergrid::partition::{Op, Outcome, PutMode, Ttl};
use embergrid::store::Record;
use embergrid::types::{Error, Key, RowVersion};

use super::{Deed, Desk, Work};
use crate::grid;

const SLOTS: u64 = 4;
/// After so many operations on one key, the next one takes its place: the search for an order has its limits.
const OPS_A_KEY: u64 = 40;

pub(super) struct Registers {
    /// Versions it has seen, for conditions.
    seen: Vec<RowVersion>,
}

impl Registers {
    pub(super) fn new() -> Self {
        Registers { seen: vec![RowVersion(1)] }
    }

    fn note(&mut self, version: Option<RowVersion>) {
        self.seen.extend(version);
        if self.seen.len() > 6 {
            self.seen.remove(0);
        }
    }
}

impl Work for Registers {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        let map = grid::map_id(desk.view, grid::PLAIN);
        let slot = desk.dice.below(SLOTS);
        let key = Key::from(desk.oracles.turns.key(slot, OPS_A_KEY));
        let dice = &mut *desk.dice;
        if dice.percent(35) {
            return Some(Deed::Read(map, key));
        }
        let value = grid::value(desk.view, map, dice.below(1_000) as i64).into();
        let ttl = dice.percent(15).then(|| Ttl { ms: dice.between(1, 400) });
        let version = dice.one_of(&self.seen);
        let op = match dice.below(10) {
            0 => Op::Remove { expected: None, want_old: true },
            1 => Op::Remove { expected: Some(version), want_old: false },
            2 => Op::SetTtl { ttl },
            kind => {
                let modes =
                    [PutMode::Always, PutMode::IfAbsent, PutMode::IfPresent, PutMode::IfVersion(version)];
                Op::Put { value, mode: modes[kind as usize % 4], want_old: dice.percent(50), ttl }
            }
        };
        Some(Deed::Write(map, key, op))
    }

    fn read(&mut self, _: &mut Desk<'_>, _: &Key, found: Option<Option<&Record>>) {
        self.note(found.flatten().map(Record::row_version));
    }

    fn written(&mut self, _: &mut Desk<'_>, _: &Key, _: &Op, answer: Option<&Result<Outcome, Error>>) {
        self.note(answer.and_then(|answer| answer.as_ref().ok()?.version));
    }

    fn is_patient(&self) -> bool {
        false
    }
}
