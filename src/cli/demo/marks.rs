//! Which payments something is true of: one bit each.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A set of payment ids below a bound.
#[derive(Debug)]
pub(super) struct Marks(Box<[AtomicU64]>);

impl Marks {
    /// No marks; ids below `bound` can be marked.
    pub(super) fn below(bound: u64) -> Self {
        Marks((0..bound.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Marks an id; whether it was not marked before. Ids outside are never marked.
    pub(super) fn mark(&self, id: i64) -> bool {
        self.word(id).is_some_and(|(word, bit)| word.fetch_or(bit, Relaxed) & bit == 0)
    }

    /// Whether the id is marked.
    pub(super) fn has(&self, id: i64) -> bool {
        self.word(id).is_some_and(|(word, bit)| word.load(Relaxed) & bit != 0)
    }

    /// How many are marked.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.load(Relaxed).count_ones())).sum()
    }

    fn word(&self, id: i64) -> Option<(&AtomicU64, u64)> {
        let id = usize::try_from(id).ok()?;
        self.0.get(id / 64).map(|word| (word, 1 << (id % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let marks = Marks::below(100);
        assert!(marks.mark(64));
        assert!(!marks.mark(64));
        assert!(marks.mark(0));
        assert!(!marks.mark(-1));
        assert!(!marks.mark(1000));
        assert!(marks.has(64) && !marks.has(63) && !marks.has(1000));
        assert_eq!(marks.count(), 2);
    }
}
