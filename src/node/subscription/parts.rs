//! How far a subscription is in one partition, and where that part comes from.

use crate::{
    feed::Start,
    types::{NodeId, Position},
};

/// Where a part comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// This node's feed.
    Here,
    /// That node's.
    There(NodeId),
}

/// One partition of a subscription.
#[derive(Debug)]
pub(super) struct Part {
    progress: Progress,
    source: Option<Source>,
    /// When it may be opened again.
    again_us: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No position to resume from is known: this is how it begins, when it does.
    Beginning(Start),
    /// Rows of a snapshot were given, which is not complete.
    Filling,
    /// Whatever happened up to the token's position was told.
    Following,
}

impl Part {
    pub(super) fn new(start: Start) -> Self {
        let progress = match start {
            Start::After(_) => Progress::Following,
            Start::Snapshot | Start::Now => Progress::Beginning(start),
        };
        Part { progress, source: None, again_us: 0 }
    }

    /// How it is opened, where `position` is the token's.
    pub(super) fn start(&self, position: Position) -> Start {
        match self.progress {
            Progress::Beginning(start) => start,
            Progress::Filling => Start::Snapshot,
            Progress::Following => Start::After(position),
        }
    }

    pub(super) fn source(&self) -> Option<Source> {
        self.source
    }

    pub(super) fn opened(&mut self, source: Source) {
        self.source = Some(source);
    }

    pub(super) fn is_due(&self, now_us: u64) -> bool {
        self.again_us <= now_us
    }

    /// Its source is gone. True if rows were given that will be given again.
    pub(super) fn ended(&mut self, again_us: u64) -> bool {
        self.source = None;
        self.again_us = again_us;
        let is_anew = self.progress == Progress::Filling;
        if is_anew {
            self.progress = Progress::Beginning(Start::Snapshot);
        }
        is_anew
    }

    /// Rows of a snapshot were given.
    pub(super) fn has_given(&mut self) {
        self.progress = Progress::Filling;
    }

    /// A position to resume from is known.
    pub(super) fn filled(&mut self) {
        self.progress = Progress::Following;
    }

    /// It begins anew, with a snapshot.
    pub(super) fn overrun(&mut self) {
        self.progress = Progress::Beginning(Start::Snapshot);
    }

    pub(super) fn is_filled(&self) -> bool {
        self.progress == Progress::Following
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Source = Source::There(NodeId(7));

    #[test]
    fn a_part_that_follows_goes_on_after_its_position() {
        let mut part = Part::new(Start::Snapshot);
        assert_eq!(part.start(Position::default()), Start::Snapshot);
        part.opened(NODE);
        part.has_given();
        part.filled();
        assert!(part.is_filled());
        assert!(!part.ended(5), "nothing is given again");
        assert_eq!(part.source(), None);
        assert!(!part.is_due(4) && part.is_due(5));
        assert_eq!(part.start(Position::default()), Start::After(Position::default()));
    }

    #[test]
    fn a_snapshot_that_was_interrupted_is_said_to_begin_anew_once() {
        let mut part = Part::new(Start::Snapshot);
        part.opened(NODE);
        part.has_given();
        assert!(part.ended(0));
        part.opened(NODE);
        assert!(!part.ended(0), "no row was given since");
        assert_eq!(part.start(Position::default()), Start::Snapshot);
    }

    #[test]
    fn who_missed_changes_is_given_a_snapshot() {
        let mut part = Part::new(Start::After(Position::default()));
        part.overrun();
        assert!(!part.is_filled());
        assert_eq!(part.start(Position::default()), Start::Snapshot);
    }
}
