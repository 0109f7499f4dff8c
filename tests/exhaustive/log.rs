//! A replica's entries.

/// More writes than this are not in any scope.
const LONGEST: usize = 3;

/// What a replica holds, committed or not. An entry is the epoch in which it was prepared: with its place in the log that is
/// its position, and no two entries share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Log {
    len: u8,
    epochs: [u8; LONGEST],
}

impl Log {
    pub(crate) fn len(&self) -> u8 {
        self.len
    }

    pub(crate) fn entries(&self) -> &[u8] {
        &self.epochs[..usize::from(self.len)]
    }

    pub(crate) fn push(&mut self, epoch: u8) {
        self.epochs[usize::from(self.len)] = epoch;
        self.len += 1;
    }

    /// The first `len` entries.
    pub(crate) fn prefix(&self, len: u8) -> Log {
        let mut prefix = Log::default();
        self.entries()[..usize::from(len)].iter().for_each(|epoch| prefix.push(*epoch));
        prefix
    }

    /// Whether the other begins with all of this one.
    pub(crate) fn is_prefix_of(&self, other: &Log) -> bool {
        other.entries().starts_with(self.entries())
    }

    /// Whether one is the beginning of the other.
    pub(crate) fn agrees_with(&self, other: &Log) -> bool {
        self.is_prefix_of(other) || other.is_prefix_of(self)
    }
}
