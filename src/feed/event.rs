//! What subscribers are told.

use serde::{Deserialize, Serialize};

use crate::{
    store::Record,
    types::{Position, RowVersion},
};

/// What happened to a row, as seen through the subscription's predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// It was there when the subscription began.
    Snapshot,
    /// It satisfies the predicate and did not before.
    Added,
    /// It satisfied the predicate before and does still.
    Updated,
    /// It satisfied the predicate and does no longer, or is gone.
    Removed,
}

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The packed key belongs to this record: the row as it is, or as it last was.
    pub row: Record,
    /// The row before; with [`EventKind::Removed`] the row that left.
    pub old: Option<Record>,
    /// The version of the row; of one that is gone, the seq of its removal.
    pub version: RowVersion,
    /// The entry that changed it; none in a snapshot. To resume there is to miss nothing after this event.
    pub at: Option<Position>,
}

/// One delivery to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Rows of the snapshot and changes that came in while it was scanned. To resume here is to begin anew.
    Snapshot {
        /// In scan order, then in log order.
        events: Vec<Event>,
    },
    /// The snapshot is complete as of this position.
    SnapshotEnd {
        /// From here on every change is told.
        at: Position,
    },
    /// All changes after `after` up to and including `upto`; none of those left out satisfies the predicate.
    /// Without events it is a bookmark.
    Changes {
        /// What the subscriber knew before.
        after: Position,
        /// What it knows now.
        upto: Position,
        /// In log order.
        events: Vec<Event>,
    },
    /// The log no longer reaches back to the subscriber's place: changes were missed. A snapshot follows.
    Overrun,
}
