//! Entries: the partition's history.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Cutover, Outcome};
use crate::{
    store::Record,
    types::{CatalogueVersion, Error, MapId, Position, RequestId, SessionId, Timestamp},
};

/// One ordered change of a partition: effects, never functions, so every replica does the same with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// Partition time: never below that of the entry before.
    pub time: Timestamp,
    /// The catalogue version in effect after it.
    pub view: CatalogueVersion,
    /// The request it answers.
    pub answered: Option<Answered>,
    /// What it changes; nothing, if it only records an answer.
    pub changes: SmallVec<[Change; 1]>,
}

/// A request and its answer, which every replica keeps for retries.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The request.
    pub id: RequestId,
    /// The session's watermark when it was sent: answers below are dropped.
    pub acknowledged_below: u64,
    /// The answer.
    pub answer: Answer,
}

/// An answer as it is kept. Refusals are rare and boxed.
pub type Answer = Result<Outcome, Box<Error>>;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The row is written.
    Put {
        /// The map.
        map: MapId,
        /// The row before.
        old: Option<Record>,
        /// The row after.
        new: Record,
    },
    /// Scores are added to the row; its version stays.
    Scored {
        /// The map.
        map: MapId,
        /// The row before.
        old: Record,
        /// The row after.
        new: Record,
    },
    /// The row's expiry changes; its version stays.
    Ttl {
        /// The map.
        map: MapId,
        /// The row before.
        old: Record,
        /// The row after.
        new: Record,
    },
    /// The row is removed.
    Remove {
        /// The map.
        map: MapId,
        /// The row before.
        old: Record,
    },
    /// The row's time is over.
    Expire {
        /// The map.
        map: MapId,
        /// The row before.
        old: Record,
    },
    /// The cluster's metadata takes effect: maps it does not have are dropped with their rows.
    Catalogue(Arc<Cutover>),
    /// A session is over.
    EndSession(SessionId),
}

impl Change {
    /// The row it touches: map, row before, row after.
    pub fn row(&self) -> Option<(MapId, Option<&Record>, Option<&Record>)> {
        match self {
            Change::Put { map, old, new } => Some((*map, old.as_ref(), Some(new))),
            Change::Scored { map, old, new } | Change::Ttl { map, old, new } => {
                Some((*map, Some(old), Some(new)))
            }
            Change::Remove { map, old } | Change::Expire { map, old } => Some((*map, Some(old), None)),
            Change::Catalogue(_) | Change::EndSession(_) => None,
        }
    }
}

impl Entry {
    /// About how many bytes it keeps in memory: its own, and the rows it replaced. The rows it wrote are the store's,
    /// or those of a later entry that replaced them.
    pub fn size(&self) -> usize {
        let replaced = self.changes.iter().filter_map(|change| change.row()?.1);
        size_of::<Entry>() + replaced.map(Record::size).sum::<usize>()
    }

    /// About how many bytes it takes to send it.
    pub fn payload(&self) -> usize {
        let rows = self.changes.iter().filter_map(Change::row);
        let rows = rows.flat_map(|(_, old, new)| [old, new]).flatten().map(Record::size).sum::<usize>();
        let answer = self.answered.as_ref().map_or(0, |answered| match &answered.answer {
            Ok(outcome) => [&outcome.old, &outcome.record].into_iter().flatten().map(Record::size).sum(),
            Err(error) => error.message.len() + error.hint.as_ref().map_or(0, |hint| hint.len()),
        });
        size_of::<Entry>() + rows + answer
    }
}
