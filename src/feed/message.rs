//! What a feed decides.

use crate::{
    store::{Cursor, Record},
    types::{Error, MapId, Position, RowVersion},
};

/// A subscription at this node, over all partitions. Chosen by whoever subscribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriberId(pub u64);

/// One scan of one snapshot; rows of an earlier one are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanId(pub u64);

/// Something to be done for the feed.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this.
    Send(Message),
    /// Read one shard of the map and hand it to [`super::Feed::handle_scanned`].
    Scan {
        /// For whom.
        subscriber: SubscriberId,
        /// Comes back with the rows.
        scan: ScanId,
        /// The map.
        map: MapId,
        /// The shard.
        from: Cursor,
    },
    /// The snapshot is complete; from this position on, the stream can be resumed.
    SnapshotEnd {
        /// For whom.
        subscriber: SubscriberId,
        /// What the rows shown and the changes sent amount to.
        position: Position,
    },
    /// The subscriber was too slow, or came back too late: changes were missed. What follows is a fresh snapshot, or
    /// what changes from now on.
    Overrun {
        /// For whom.
        subscriber: SubscriberId,
    },
    /// The subscription cannot go on and has ended.
    Closed {
        /// For whom.
        subscriber: SubscriberId,
        /// Why.
        error: Error,
    },
}

/// Everything that happened to a subscriber's rows in `(after, upto]`. Without events: a bookmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// For whom.
    pub subscriber: SubscriberId,
    /// Where the last message ended.
    pub after: Position,
    /// Where this one ends. Rows of a snapshot come in messages that cover nothing.
    pub upto: Position,
    /// In order.
    pub events: Vec<Event>,
}

/// What happened to one row, as its subscriber sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// The row after; none if it is removed.
    pub row: Option<Record>,
    /// The row before, if it was among the subscriber's rows; none in a snapshot.
    pub old: Option<Record>,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was there when the snapshot was taken.
    Snapshot,
    /// It has become one of the subscriber's rows.
    Added,
    /// It has changed and still is one.
    Updated,
    /// It no longer is one.
    Removed,
}

impl Event {
    /// The row, after if there is one, else before.
    fn record(&self) -> Option<&Record> {
        self.row.as_ref().or(self.old.as_ref())
    }

    /// The packed key.
    pub fn key(&self) -> &[u8] {
        self.record().map_or(&[], Record::key)
    }

    /// The version of the row: of the last one, if it is removed.
    pub fn version(&self) -> RowVersion {
        self.record().map_or(RowVersion(0), Record::row_version)
    }

    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let records = [&self.row, &self.old];
        size_of::<Event>() + records.into_iter().flatten().map(Record::size).sum::<usize>()
    }
}
