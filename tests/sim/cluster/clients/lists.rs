//! Lists to which everybody appends where they are, each item once.

use std::sync::Arc;

use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::store::Record;
use embergrid::types::{Class, Error, Key, KeyRef};

use super::{Deed, Desk, Work};
use crate::grid;

const LISTS: u64 = 3;
/// Keys of other clients are below.
const FIRST: u64 = 200;
const OPS_A_KEY: u64 = 50;

pub(super) struct Lists {
    /// The last item that it appended: nobody else appends it.
    item: i64,
    /// Lists that have no row yet, as far as it knows.
    missing: Vec<Key>,
}

impl Lists {
    /// One whose items are those after this number.
    pub(super) fn new(item: i64) -> Self {
        Lists { item, missing: Vec::new() }
    }
}

impl Work for Lists {
    fn next(&mut self, desk: &mut Desk<'_>) -> Option<Deed> {
        let map = grid::map_id(desk.view, grid::LISTS);
        if let Some(key) = self.missing.pop() {
            let value = grid::value(desk.view, map, 0).into();
            let op = Op::Put { value, mode: PutMode::IfAbsent, want_old: false, ttl: None };
            return Some(Deed::Write(map, key, op));
        }
        let list = FIRST + desk.dice.below(LISTS);
        let number = desk.oracles.turns.key(list, OPS_A_KEY);
        let key = Key::new(KeyRef::I64(number), Some(&list.to_le_bytes())).unwrap();
        if desk.dice.percent(25) {
            return Some(Deed::Read(map, key));
        }
        self.item += 1;
        desk.oracles.lists.asked(&key, self.item);
        Some(Deed::Write(map, key, Op::Update(Arc::new(grid::append(desk.view, self.item)))))
    }

    fn read(&mut self, desk: &mut Desk<'_>, key: &Key, found: Option<Option<&Record>>) {
        if let Some(found) = found {
            let items = found.map_or(Vec::new(), |record| grid::items(desk.view, record.value()));
            desk.oracles.lists.read(key, items, desk.span_us);
        }
    }

    fn written(&mut self, desk: &mut Desk<'_>, key: &Key, op: &Op, answer: Option<&Result<Outcome, Error>>) {
        let (Op::Update(update), Some(answer)) = (op, answer) else { return };
        let items = answer
            .as_ref()
            .map(|outcome| outcome.record.as_ref().map(|record| grid::items(desk.view, record.value())));
        desk.oracles.lists.answered(key, grid::appended(update), items.ok().flatten(), desk.span_us);
        if answer.as_ref().is_err_and(|error| error.class == Class::NotFound) {
            self.missing.push(key.clone());
        }
    }

    fn is_patient(&self) -> bool {
        false
    }
}
