//! Counters raised where they are, by an expression, each time once.

use std::sync::Arc;

use embergrid::expr::Update;
use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::types::{Class, Error, Key};

use super::{Deed, Desk, Work};
use crate::grid;

pub(crate) const COUNTERS: u64 = 6;

pub(super) struct Counters {
    /// Counters that have no row yet, as far as it knows.
    missing: Vec<i64>,
}

impl Counters {
    pub(super) fn new() -> Self {
        Counters { missing: (0..COUNTERS as i64).collect() }
    }
}

impl Work for Counters {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        let map = grid::map_id(desk.view, grid::COUNTERS);
        if let Some(key) = self.missing.pop() {
            let value = grid::value(desk.view, map, 0).into();
            let op = Op::Put { value, mode: PutMode::IfAbsent, want_old: false, ttl: None };
            return Some(Deed::Write(map, Key::from(key), op));
        }
        let key = Key::from(desk.dice.below(COUNTERS) as i64);
        let schema = grid::schema(desk.view, map).unwrap();
        let update = Update::parse("SET amount = amount + 1", schema, None).unwrap();
        desk.oracles.once.asked(&key);
        Some(Deed::Write(map, key, Op::Update(Arc::new(update))))
    }

    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, op: &Op, answer: Option<&Result<Outcome, Error>>) {
        if !matches!(op, Op::Update(_)) {
            return;
        }
        if let Some(answer) = answer {
            desk.oracles.once.answered(key, answer.is_ok());
            if answer.as_ref().is_err_and(|error| error.class == Class::NotFound)
                && let embergrid::types::KeyRef::I64(key) = key.payload()
            {
                self.missing.push(key);
            }
        }
    }

    fn is_patient(&self) -> bool {
        true
    }
}
