//! Rows that a model scores when they are written: without its score one is refused in the first map, and stored in the
//! second; in the third none waits for it.

use std::sync::Arc;

use embergrid::expr::Update;
use embergrid::partition::{Op, Outcome, PutMode, Ttl};
use embergrid::types::{Error, Key};

use super::{Deed, Desk, Work};
use crate::grid;

const KEYS: u64 = 8;

pub(super) struct Scored;

impl Scored {
    pub(super) fn new() -> Self {
        Scored
    }
}

impl Work for Scored {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        let dice = &mut *desk.dice;
        let map =
            grid::map_id(desk.view, dice.one_of(&[grid::STRICT, grid::LENIENT, grid::LENIENT, grid::LATER]));
        let key = Key::from(dice.below(KEYS) as i64);
        if dice.percent(20) {
            return Some(Deed::Read(map, key));
        }
        let schema = grid::schema(desk.view, map).unwrap();
        let op = match dice.below(10) {
            0 => Op::Remove { expected: None, want_old: true },
            1 => Op::Update(Arc::new(Update::parse("SET amount = amount + 1", schema, None).unwrap())),
            _ => {
                let value = grid::value(desk.view, map, dice.below(1_000) as i64).into();
                // Often so short that the row's time is over while the next write waits for its score.
                let most_ms = dice.one_of(&[30, 500]);
                let ttl = dice.percent(20).then(|| Ttl { ms: dice.between(1, most_ms) });
                Op::Put { value, mode: PutMode::Always, want_old: dice.percent(30), ttl }
            }
        };
        Some(Deed::Write(map, key, op))
    }

    fn written(&mut self, _: &mut Desk<'_>, _: &Key, _: &Op, _: Option<&Result<Outcome, Error>>) {}

    fn is_patient(&self) -> bool {
        false
    }
}
