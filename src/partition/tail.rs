//! Prepared entries: seq assigned, not yet committed. Every replica has a tail; who waits for its entries is the
//! primary's own affair.

use std::{collections::VecDeque, sync::Arc};

use super::Entry;
use crate::types::{Position, Seq};

/// Entries after the last committed one, in unbroken order.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<Arc<Entry>>,
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn last(&self) -> Option<&Arc<Entry>> {
        self.entries.back()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// Adds an entry, which follows the last one.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.entries.push_back(entry);
    }

    /// Takes the oldest entry if its seq is at most `commit_point`.
    pub(super) fn pop(&mut self, commit_point: Seq) -> Option<Arc<Entry>> {
        let is_due = self.entries.front().is_some_and(|entry| entry.position.seq <= commit_point);
        if is_due { self.entries.pop_front() } else { None }
    }

    /// Drops the entry at `seq` and all after it.
    pub(super) fn truncate(&mut self, seq: Seq) {
        while self.entries.back().is_some_and(|entry| entry.position.seq >= seq) {
            self.entries.pop_back();
        }
    }

    pub(super) fn at(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let first = self.entries.front()?.position.seq;
        self.entries.get(usize::try_from(seq.0.checked_sub(first.0)?).ok()?)
    }

    pub(super) fn position_at(&self, seq: Seq) -> Option<Position> {
        self.at(seq).map(|entry| entry.position)
    }

    /// The entries after `seq`.
    pub(super) fn after(&self, seq: Seq) -> impl Iterator<Item = &Arc<Entry>> {
        let first = self.entries.front().map_or(0, |entry| entry.position.seq.0);
        let skipped = usize::try_from(seq.0.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(skipped.min(self.entries.len())..)
    }
}
