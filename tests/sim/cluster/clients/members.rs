//! A set to which every key is added once.

use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::types::{Error, Key};

use super::{Deed, Desk, Work};
use crate::grid;

pub(super) struct Members {
    next: i64,
}

impl Members {
    pub(super) fn new() -> Self {
        Members { next: 0 }
    }
}

impl Work for Members {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        self.next += 1;
        let map = grid::map_id(desk.view, grid::MEMBERS);
        let value = grid::value(desk.view, map, self.next).into();
        let op = Op::Put { value, mode: PutMode::Always, want_old: false, ttl: None };
        Some(Deed::Write(map, Key::from(self.next), op))
    }

    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, _: &Op, answer: Option<&Result<Outcome, Error>>) {
        if answer.is_some_and(Result::is_ok) {
            desk.oracles.acknowledged.added(key);
        }
    }

    fn is_patient(&self) -> bool {
        false
    }
}
