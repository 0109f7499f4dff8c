//! A set to which every key is added once, and from which some are removed again.

use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::types::{Error, Key};

use super::{Deed, Desk, Work};
use crate::grid;

pub(super) struct Members {
    next: i64,
    /// Those that it was told are there, and may remove.
    added: Vec<Key>,
}

impl Members {
    pub(super) fn new() -> Self {
        Members { next: 0, added: Vec::new() }
    }
}

impl Work for Members {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        let map = grid::map_id(desk.view, grid::MEMBERS);
        if !self.added.is_empty() && desk.dice.percent(30) {
            let at = desk.dice.below(self.added.len() as u64) as usize;
            let key = self.added.swap_remove(at);
            desk.oracles.acknowledged.removing(&key);
            return Some(Deed::Write(map, key, Op::Remove { expected: None, want_old: false }));
        }
        self.next += 1;
        let value = grid::value(desk.view, map, self.next).into();
        let op = Op::Put { value, mode: PutMode::Always, want_old: false, ttl: None };
        Some(Deed::Write(map, Key::from(self.next), op))
    }

    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, op: &Op, answer: Option<&Result<Outcome, Error>>) {
        let Some(Ok(outcome)) = answer else { return };
        match op {
            Op::Put { value, .. } => {
                let map = grid::map_id(desk.view, grid::MEMBERS);
                desk.oracles.acknowledged.added(key, grid::read(desk.view, map, value).0);
                self.added.push(key.clone());
            }
            _ => desk.oracles.acknowledged.removed(key, outcome.applied),
        }
    }

    fn is_patient(&self) -> bool {
        false
    }
}
