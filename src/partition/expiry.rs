//! Rows that are due to expire.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::types::{Key, MapId, Timestamp};

/// Below this many items, stale ones are not worth looking for.
const SLACK: usize = 1_024;

/// A row's place in the queue. It is stale once the row has another expiry, or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Timestamp,
    pub(super) map: MapId,
    pub(super) key: Key,
}

/// When rows expire, soonest first. Holds at most about twice as many items as there are rows with an expiry.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    queue: BinaryHeap<Reverse<Due>>,
    /// Rows that have an expiry.
    rows: usize,
}

impl Expiry {
    /// A row's expiry has changed. The new one is queued; `is_current` tells stale items from others when there
    /// are too many.
    pub(super) fn change(&mut self, had: bool, due: Option<Due>, is_current: impl Fn(&Due) -> bool) {
        self.rows = self.rows + usize::from(due.is_some()) - usize::from(had).min(self.rows);
        let Some(due) = due else { return };
        self.queue.push(Reverse(due));
        if self.queue.len() > 2 * self.rows + SLACK {
            self.queue.retain(|Reverse(due)| is_current(due));
        }
    }

    /// Maps were dropped with their rows.
    pub(super) fn keep_maps(&mut self, is_kept: impl Fn(MapId) -> bool) {
        self.queue.retain(|Reverse(due)| is_kept(due.map));
        self.rows = self.rows.min(self.queue.len());
    }

    /// Looks again at a row that could not expire when it was due.
    pub(super) fn postpone(&mut self, due: Due) {
        self.queue.push(Reverse(due));
    }

    /// Takes the next item that is due at `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop().map(|Reverse(due)| due)
    }

    /// When the next item is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(at: i64, key: i64) -> Due {
        Due { at: Timestamp(at), map: MapId(1), key: Key::from(key) }
    }

    #[test]
    fn soonest_first_and_not_before_time() {
        let mut expiry = Expiry::default();
        for (at, key) in [(30, 1), (10, 2), (20, 3)] {
            expiry.change(false, Some(due(at, key)), |_| true);
        }
        assert_eq!(expiry.next(), Some(Timestamp(10)));
        assert_eq!(expiry.pop(Timestamp(9)), None);
        assert_eq!(expiry.pop(Timestamp(25)), Some(due(10, 2)));
        assert_eq!(expiry.pop(Timestamp(25)), Some(due(20, 3)));
        assert_eq!(expiry.pop(Timestamp(25)), None);
    }

    #[test]
    fn a_row_written_again_and_again_does_not_fill_the_queue() {
        let mut expiry = Expiry::default();
        for at in 0..100_000 {
            expiry.change(at > 0, Some(due(at, 1)), |due| due.at == Timestamp(at));
        }
        assert!(expiry.queue.len() <= SLACK + 2, "{}", expiry.queue.len());
        assert_eq!(expiry.rows, 1);
    }
}
