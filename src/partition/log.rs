//! Committed entries that are still kept, for subscriptions that resume.

use std::{collections::VecDeque, sync::Arc};

use super::{Change, Entry, Limits, View};
use crate::types::Position;

/// The end of a partition's history.
#[derive(Debug)]
pub struct Log {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The entry before the first one kept.
    floor: Position,
    last: Position,
    view: Arc<View>,
    max_entries: usize,
    max_bytes: usize,
}

/// The history after a position is not kept, or the position is not of this history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entries after this position are gone")]
pub struct Gone;

impl Log {
    pub(super) fn new(start: Position, limits: &Limits) -> Self {
        Log {
            entries: VecDeque::new(),
            bytes: 0,
            floor: start,
            last: start,
            view: Arc::default(),
            max_entries: limits.log_entries,
            max_bytes: limits.log_bytes,
        }
    }

    /// The position after which every entry is kept.
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// The last committed entry's position.
    pub fn last(&self) -> Position {
        self.last
    }

    /// The catalogue as of the last committed entry.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// The bytes that the kept entries hold, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entries after `position`, oldest first.
    pub fn after(&self, position: Position) -> Result<impl ExactSizeIterator<Item = &Arc<Entry>>, Gone> {
        let first = match self.entries.binary_search_by_key(&position, |entry| entry.position) {
            Ok(at) => at + 1,
            Err(_) if position == self.floor => 0,
            Err(_) => return Err(Gone),
        };
        Ok(self.entries.range(first..))
    }

    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.last = entry.position;
        for change in &entry.changes {
            if let Change::Catalogue(view) = change {
                self.view = view.clone();
            }
        }
        self.bytes += entry.size();
        self.entries.push_back(entry);
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.size();
            self.floor = oldest.position;
        }
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::types::{CatalogueVersion, Epoch, Generation, Seq, Timestamp};

    fn at(epoch: u64, seq: u64) -> Position {
        Position { generation: Generation(1), epoch: Epoch(epoch), seq: Seq(seq) }
    }

    fn log(max_entries: usize, max_bytes: usize) -> Log {
        let limits = Limits { log_entries: max_entries, log_bytes: max_bytes, ..Limits::default() };
        Log::new(at(1, 0), &limits)
    }

    fn push(log: &mut Log, position: Position) {
        log.push(Arc::new(Entry {
            position,
            time: Timestamp(0),
            view: CatalogueVersion(0),
            answered: None,
            changes: smallvec![],
        }));
    }

    fn after(log: &Log, position: Position) -> Result<Vec<u64>, Gone> {
        log.after(position).map(|entries| entries.map(|entry| entry.position.seq.0).collect())
    }

    #[test]
    fn gives_what_follows_a_position_it_knows() {
        let mut log = log(3, usize::MAX);
        assert_eq!(after(&log, at(1, 0)), Ok(vec![]));
        for seq in 1..=2 {
            push(&mut log, at(1, seq));
        }
        assert_eq!(after(&log, at(1, 0)), Ok(vec![1, 2]));
        for seq in 3..=5 {
            push(&mut log, at(2, seq));
        }
        assert_eq!((log.floor(), log.last()), (at(1, 2), at(2, 5)));
        assert_eq!(after(&log, at(1, 1)), Err(Gone));
        assert_eq!(after(&log, at(1, 2)), Ok(vec![3, 4, 5]));
        assert_eq!(after(&log, at(2, 4)), Ok(vec![5]));
        assert_eq!(after(&log, at(2, 5)), Ok(vec![]));
        assert_eq!(after(&log, at(2, 6)), Err(Gone), "not of this history");
        assert_eq!(after(&log, at(1, 4)), Err(Gone), "truncated");
    }

    #[test]
    fn is_bounded_by_bytes() {
        let mut log = log(usize::MAX, 3 * size_of::<Entry>());
        for seq in 1..=9 {
            push(&mut log, at(1, seq));
        }
        assert_eq!(after(&log, at(1, 6)), Ok(vec![7, 8, 9]));
        assert_eq!(log.floor(), at(1, 6));
        assert_eq!(log.bytes(), 3 * size_of::<Entry>());
    }
}
