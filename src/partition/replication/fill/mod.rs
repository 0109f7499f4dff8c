//! Filling a learner (protocol rule 17).
//!
//! The primary pins its last committed entry and from there on sends the learner every entry, as it does to backups.
//! Beside that it copies what led there, part by part, one part on its way at a time: rows, answers, the retained
//! log, and at last a checksum to compare.
//!
//! Rows are copied shard by shard, each as it is when its turn comes, which may be later or earlier than the last
//! entry that the learner has applied. A row is taken only where the learner has none under that key, and has not
//! removed one: whatever it has comes from an entry after the pinned one, so it is as new or newer; and what it is
//! given too early, the entries that it has yet to apply will give it again.
//!
//! There is one fill for a join id and a tenure of a primary. A learner that cannot go on is proposed for removal; its
//! successor has another join id. A new primary begins anew.

mod receive;
mod send;

use std::sync::Arc;

pub(super) use receive::Receiver;
pub(super) use send::Sender;

use serde::{Deserialize, Serialize};

use crate::{
    partition::{Cutover, Entry, SessionCopy},
    store::Record,
    types::{MapId, Position, SessionId, Timestamp},
};

/// About how many bytes of rows, answers or entries go into a part.
const PART_BYTES: usize = 256 << 10;

/// One part of a fill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Forget everything; entries after `at` follow.
    Begin {
        /// The pinned entry.
        at: Position,
        /// Partition time as of it.
        time: Timestamp,
        /// The catalogue as of it.
        catalogue: Arc<Cutover>,
    },
    /// Some rows.
    Rows {
        /// Their map.
        map: MapId,
        /// The rows.
        rows: Vec<Record>,
    },
    /// Sessions that are over.
    Ended(Vec<SessionId>),
    /// Answers kept for retries.
    Sessions(Vec<SessionCopy>),
    /// Committed entries, newest part first.
    Log {
        /// The position before the first of them.
        floor: Position,
        /// Oldest first.
        entries: Vec<Arc<Entry>>,
    },
    /// The last part: what the rows must come to.
    Check {
        /// As of this entry.
        at: Position,
        /// Over all rows.
        checksum: u64,
    },
}
