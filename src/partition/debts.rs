//! Scores owed: rows stored without a score that they should have.
//!
//! The mark in the row is what counts; this queue is built from the marks and lost with the primary.

use std::collections::{BTreeMap, BTreeSet};

use super::tickets::Gathering;
use crate::types::{Key, MapId, RowVersion};

/// A row of the partition.
pub(super) type RowName = (MapId, Key);

/// How long to wait for a score of a stored row before it is asked for again.
const PATIENCE_US: u64 = 10_000_000;
const FIRST_PAUSE_US: u64 = 1_000_000;
const LONGEST_PAUSE_US: u64 = 64_000_000;

/// One row that lacks scores.
#[derive(Debug)]
pub(super) struct Debt {
    pub(super) row_version: RowVersion,
    /// The scores asked for, while they are.
    pub(super) gathering: Option<Gathering>,
    failures: u32,
    due_us: u64,
}

#[derive(Debug)]
pub(super) struct Debts {
    owed: BTreeMap<RowName, Debt>,
    /// When to look at each of them: to ask, or to ask again.
    due: BTreeSet<(u64, RowName)>,
    asking: usize,
    max_asking: usize,
}

impl Debts {
    pub(super) fn new(max_asking: usize) -> Self {
        Debts { owed: BTreeMap::new(), due: BTreeSet::new(), asking: 0, max_asking }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// How many rows lack scores.
    pub(super) fn len(&self) -> usize {
        self.owed.len()
    }

    /// The row lacks scores. Answers to what was asked for an earlier debt no longer count and are returned.
    pub(super) fn owe(&mut self, row: RowName, row_version: RowVersion, now_us: u64) -> Option<Gathering> {
        let before = self.settle(&row);
        self.due.insert((now_us, row.clone()));
        self.owed.insert(row, Debt { row_version, gathering: None, failures: 0, due_us: now_us });
        before
    }

    /// The row lacks nothing any more, or is gone.
    pub(super) fn settle(&mut self, row: &RowName) -> Option<Gathering> {
        let debt = self.owed.remove(row)?;
        self.due.remove(&(debt.due_us, row.clone()));
        self.asking -= usize::from(debt.gathering.is_some());
        debt.gathering
    }

    /// The next row to look at, if there is room for one more.
    pub(super) fn next(&self, now_us: u64) -> Option<(RowName, RowVersion)> {
        let (due_us, row) = self.due.first()?;
        let debt = self.owed.get(row)?;
        let may = debt.gathering.is_some() || self.asking < self.max_asking;
        (*due_us <= now_us && may).then(|| (row.clone(), debt.row_version))
    }

    /// When to look again.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        let (due_us, row) = self.due.first()?;
        let asked = self.owed.get(row).is_some_and(|debt| debt.gathering.is_some());
        (asked || self.asking < self.max_asking).then_some(*due_us)
    }

    /// Its scores have been asked for. What was asked before is returned.
    pub(super) fn asked(&mut self, row: &RowName, gathering: Gathering, now_us: u64) -> Option<Gathering> {
        let before = self.replace(row, Some(gathering));
        self.postpone(row, now_us.saturating_add(PATIENCE_US));
        before
    }

    /// The scores that are being gathered for a row.
    pub(super) fn gathering(&mut self, row: &RowName) -> Option<&mut Gathering> {
        self.owed.get_mut(row)?.gathering.as_mut()
    }

    /// All answers are in: takes them. If some failed, the missing scores are asked for again after a pause, each
    /// longer than the one before.
    pub(super) fn gathered(
        &mut self,
        row: &RowName,
        failed: bool,
        now_us: u64,
    ) -> Option<(RowVersion, Gathering)> {
        let gathering = self.replace(row, None)?;
        let row_version = self.owed.get(row)?.row_version;
        if failed {
            self.pause(row, now_us);
        }
        Some((row_version, gathering))
    }

    fn pause(&mut self, row: &RowName, now_us: u64) {
        let Some(debt) = self.owed.get_mut(row) else { return };
        let pause = FIRST_PAUSE_US.checked_shl(debt.failures.min(32)).unwrap_or(LONGEST_PAUSE_US);
        debt.failures += 1;
        self.postpone(row, now_us.saturating_add(pause.min(LONGEST_PAUSE_US)));
    }

    /// What a row's scores are has changed: all that were asked for are asked for anew. Rows of maps that are
    /// not kept are forgotten. Questions that no longer stand are returned.
    pub(super) fn reconsider(
        &mut self,
        now_us: u64,
        is_kept: impl Fn(MapId) -> bool,
        is_changed: impl Fn(MapId) -> bool,
    ) -> Vec<Gathering> {
        let affected = self.owed.keys().filter(|(map, _)| !is_kept(*map) || is_changed(*map));
        let affected: Vec<RowName> = affected.cloned().collect();
        let mut cancelled = Vec::new();
        for row in affected {
            if is_kept(row.0) {
                cancelled.extend(self.replace(&row, None));
                self.postpone(&row, now_us);
            } else {
                cancelled.extend(self.settle(&row));
            }
        }
        cancelled
    }

    fn replace(&mut self, row: &RowName, gathering: Option<Gathering>) -> Option<Gathering> {
        let debt = self.owed.get_mut(row)?;
        self.asking += usize::from(gathering.is_some());
        let before = std::mem::replace(&mut debt.gathering, gathering);
        self.asking -= usize::from(before.is_some());
        before
    }

    fn postpone(&mut self, row: &RowName, due_us: u64) {
        if let Some(debt) = self.owed.get_mut(row) {
            self.due.remove(&(debt.due_us, row.clone()));
            debt.due_us = due_us;
            self.due.insert((due_us, row.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: i64) -> RowName {
        (MapId(1), Key::from(key))
    }

    #[test]
    fn asks_for_a_few_at_a_time() {
        let mut debts = Debts::new(1);
        debts.owe(row(1), RowVersion(4), 10);
        debts.owe(row(2), RowVersion(5), 11);
        assert_eq!(debts.next(9), None);
        assert_eq!(debts.next(10), Some((row(1), RowVersion(4))));
        debts.asked(&row(1), Gathering::default(), 10);
        assert_eq!(debts.next(11), None, "one is asked for, and that is all there may be");
        assert_eq!(debts.next_due_us(), None);
        debts.settle(&row(1));
        assert_eq!(debts.next(11), Some((row(2), RowVersion(5))));
        assert_eq!(debts.next_due_us(), Some(11));
    }

    #[test]
    fn pauses_grow_and_end_growing() {
        let mut debts = Debts::new(9);
        debts.owe(row(1), RowVersion(4), 0);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            debts.asked(&row(1), Gathering::default(), 0);
            debts.gathered(&row(1), true, 0);
            pauses.push(debts.next_due_us().unwrap() / 1_000_000);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }

    #[test]
    fn an_answer_that_does_not_come_is_asked_for_again() {
        let mut debts = Debts::new(1);
        debts.owe(row(1), RowVersion(4), 0);
        debts.asked(&row(1), Gathering::default(), 0);
        assert_eq!(debts.next(PATIENCE_US - 1), None);
        assert_eq!(debts.next(PATIENCE_US), Some((row(1), RowVersion(4))));
    }

    #[test]
    fn a_later_version_replaces_the_debt() {
        let mut debts = Debts::new(9);
        debts.owe(row(1), RowVersion(4), 0);
        debts.asked(&row(1), Gathering::default(), 0);
        assert!(debts.owe(row(1), RowVersion(6), 3).is_some());
        assert_eq!(debts.next(3), Some((row(1), RowVersion(6))));
        assert_eq!(debts.len(), 1);
    }

    #[test]
    fn a_changed_map_is_asked_anew_and_a_dropped_one_forgotten() {
        let mut debts = Debts::new(9);
        for (map, key) in [(1, 1), (2, 1), (3, 1)] {
            let row = (MapId(map), Key::from(key));
            debts.owe(row.clone(), RowVersion(1), 0);
            debts.asked(&row, Gathering::default(), 0);
        }
        let cancelled = debts.reconsider(5, |map| map != MapId(2), |map| map == MapId(1));
        assert_eq!(cancelled.len(), 2);
        assert_eq!(debts.len(), 2);
        assert_eq!(debts.next(5), Some(((MapId(1), Key::from(1)), RowVersion(1))));
    }
}
