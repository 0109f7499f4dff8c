//! Committed entries that are still kept, for subscriptions that resume and for learners that are being filled.

use std::{collections::VecDeque, sync::Arc};

use super::{Change, Cutover, Entry, Limits};
use crate::{
    mutant::Mutant,
    types::{Position, Seq},
};

/// The end of a partition's history.
#[derive(Debug)]
pub struct Log {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The entry before the first one kept.
    floor: Position,
    last: Position,
    catalogue: Arc<Cutover>,
    max_entries: usize,
    max_bytes: usize,
    max_held_bytes: usize,
    /// Entries after this one are needed elsewhere.
    held_after: Option<Seq>,
}

/// The history after a position is not kept, or the position is not of this history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entries after this position are gone")]
pub struct Gone;

impl Log {
    /// Nothing is known of what led to `start`, where the catalogue was this.
    pub(super) fn new(start: Position, catalogue: Arc<Cutover>, limits: &Limits) -> Self {
        Log {
            entries: VecDeque::new(),
            bytes: 0,
            floor: start,
            last: start,
            catalogue,
            max_entries: limits.log_entries,
            max_bytes: limits.log_bytes,
            max_held_bytes: limits.held_bytes,
            held_after: None,
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
    pub fn catalogue(&self) -> &Arc<Cutover> {
        &self.catalogue
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
            Err(at) if Mutant::SkipsWhatIsGone.is_on() => at,
            Err(_) => return Err(Gone),
        };
        Ok(self.entries.range(first..))
    }

    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.last = entry.position;
        for change in &entry.changes {
            if let Change::Catalogue(catalogue) = change {
                self.catalogue = catalogue.clone();
            }
        }
        self.bytes += entry.size();
        self.entries.push_back(entry);
        self.trim();
    }

    /// Keeps the entries after `seq` beyond the limits, up to a higher one; none lets them go.
    pub(super) fn hold(&mut self, after: Option<Seq>) {
        if self.held_after != after {
            self.held_after = after;
            self.trim();
        }
    }

    /// Adds older entries, which end at the floor, as far as they fit; `floor` is the position before them. Others
    /// are passed over.
    pub(super) fn prepend(&mut self, floor: Position, entries: &[Arc<Entry>]) {
        if entries.last().is_none_or(|last| last.position != self.floor) || !is_unbroken(floor.seq, entries) {
            return;
        }
        for (at, entry) in entries.iter().enumerate().rev() {
            self.bytes += entry.size();
            self.entries.push_front(entry.clone());
            self.floor = at.checked_sub(1).map_or(floor, |before| entries[before].position);
        }
        self.trim();
    }

    /// The position of a kept entry, or of the floor.
    pub(super) fn position_at(&self, seq: Seq) -> Option<Position> {
        match seq.0.checked_sub(self.floor.seq.0)? {
            0 => Some(self.floor),
            after => self.entries.get(usize::try_from(after).ok()? - 1).map(|entry| entry.position),
        }
    }

    /// The kept entries after `seq`, oldest first; none if that is not known.
    pub(super) fn after_seq(&self, seq: Seq) -> Option<impl DoubleEndedIterator<Item = &Arc<Entry>>> {
        let first = usize::try_from(seq.0.checked_sub(self.floor.seq.0)?).ok()?;
        (first <= self.entries.len()).then(|| self.entries.range(first..))
    }

    /// The kept entries up to `seq`, oldest first.
    pub(super) fn upto(&self, seq: Seq) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        let count = usize::try_from(seq.0.saturating_sub(self.floor.seq.0)).unwrap_or(usize::MAX);
        self.entries.range(..count.min(self.entries.len()))
    }

    fn trim(&mut self) {
        while (self.entries.len() > self.max_entries || self.bytes > self.max_bytes)
            && !self.is_held()
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.size();
            self.floor = oldest.position;
        }
    }

    /// Whether the oldest entry is to be kept beyond the limits.
    fn is_held(&self) -> bool {
        let is_needed = |entry: &Arc<Entry>| self.held_after.is_some_and(|after| entry.position.seq > after);
        self.bytes <= self.max_held_bytes && self.entries.front().is_some_and(is_needed)
    }

    /// The oldest entry.
    pub(super) fn oldest(&self) -> Option<&Entry> {
        self.entries.front().map(|entry| &**entry)
    }
}

/// Whether the entries follow each other, and the first of them the entry at `seq`.
pub(super) fn is_unbroken(seq: Seq, entries: &[Arc<Entry>]) -> bool {
    let mut before = seq.0;
    entries.iter().all(|entry| {
        let follows = before.checked_add(1) == Some(entry.position.seq.0);
        before = entry.position.seq.0;
        follows
    })
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
        Log::new(at(1, 0), Arc::default(), &limits)
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
    fn what_a_learner_needs_is_kept_within_its_own_limit() {
        let limits = Limits { log_entries: 2, held_bytes: 100 * size_of::<Entry>(), ..Limits::default() };
        let mut log = Log::new(at(1, 0), Arc::default(), &limits);
        log.hold(Some(Seq(1)));
        (1..=9).for_each(|seq| push(&mut log, at(1, seq)));
        assert_eq!(log.floor(), at(1, 1));
        log.hold(Some(Seq(4)));
        assert_eq!(log.floor(), at(1, 4));
        (10..=1_000).for_each(|seq| push(&mut log, at(1, seq)));
        assert_eq!(log.floor(), at(1, 900));
        log.hold(None);
        assert_eq!(log.floor(), at(1, 998));
    }

    #[test]
    fn grows_backwards_while_it_fits() {
        let mut of = log(9, usize::MAX);
        (1..=8).for_each(|seq| push(&mut of, at(1, seq)));
        let older: Vec<_> = of.upto(Seq(6)).cloned().collect();
        let limits = Limits { log_entries: 5, ..Limits::default() };
        let mut log = Log::new(at(1, 6), Arc::default(), &limits);
        push(&mut log, at(2, 7));
        log.prepend(at(1, 2), &older[2..5]);
        assert_eq!(log.floor(), at(1, 6), "they end elsewhere");
        log.prepend(at(1, 3), &older[3..]);
        assert_eq!((log.floor(), after(&log, at(1, 4))), (at(1, 3), Ok(vec![5, 6, 7])));
        log.prepend(at(1, 0), &older[..3]);
        assert_eq!((log.floor(), after(&log, at(1, 2))), (at(1, 2), Ok(vec![3, 4, 5, 6, 7])));
    }

    #[test]
    fn knows_positions_by_seq() {
        let mut log = log(3, usize::MAX);
        (1..=3).for_each(|seq| push(&mut log, at(1, seq)));
        (4..=5).for_each(|seq| push(&mut log, at(2, seq)));
        let at_seq = |seq| log.position_at(Seq(seq));
        assert_eq!([1, 2, 3, 5, 6].map(at_seq), [None, Some(at(1, 2)), Some(at(1, 3)), Some(at(2, 5)), None]);
        let after_seq = |seq| log.after_seq(Seq(seq)).map(|entries| entries.count());
        assert_eq!([1, 2, 5, 6].map(after_seq), [None, Some(3), Some(0), None]);
        assert_eq!(log.upto(Seq(3)).count(), 1);
        assert_eq!(log.upto(Seq(1)).count(), 0);
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
