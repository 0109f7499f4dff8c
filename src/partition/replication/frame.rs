//! What replicas of a partition tell each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Part;
use crate::{
    partition::Entry,
    store::Record,
    types::{Epoch, Generation, JoinId, PartitionId, Position, Seq},
};

/// One frame. It may be lost, repeated or overtaken: nothing depends on the order of arrival but speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The partition.
    pub partition: PartitionId,
    /// The sender's generation.
    pub generation: Generation,
    /// The sender's epoch. A frame of any other than the receiver's is dropped; the sender repeats it.
    pub epoch: Epoch,
    /// The sender.
    pub from: JoinId,
    /// The receiver.
    pub to: JoinId,
    /// What it says.
    pub body: Body,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// From the primary: hold these entries.
    Prepare {
        /// The entry before the first of them.
        prev: Position,
        /// In order. None if only the position before is to be confirmed.
        entries: Vec<Arc<Entry>>,
        /// Entries up to here are committed.
        committed: Seq,
    },
    /// To the primary: this replica has the primary's entries up to here.
    Prepared {
        /// The last of them.
        upto: Seq,
    },
    /// To the primary: entries after this one are missing.
    Behind {
        /// The last entry that is known to be the primary's.
        has: Seq,
    },
    /// From the primary: it lives, and asks for a lease.
    Beacon {
        /// When, on the primary's clock.
        sent_us: u64,
        /// Entries up to here are committed.
        committed: Seq,
    },
    /// To the primary: nobody will be promoted here for as long as that beacon is good.
    Lease {
        /// The beacon's time.
        sent_us: u64,
    },
    /// From the primary to a learner: a part of what the partition holds.
    Fill {
        /// The epoch in which this fill began. A fill of a later one starts anew.
        fill: Epoch,
        /// Counts the parts from 0.
        number: u32,
        /// The part.
        part: Part,
    },
    /// To the primary: what became of a part.
    Filled {
        /// Of which fill.
        fill: Epoch,
        /// Which part.
        number: u32,
        /// What became of it.
        verdict: Verdict,
    },
    /// From the primary: what do the rows come to?
    Compare {
        /// As of this entry, which is committed.
        at: Position,
    },
    /// To the primary: this is what they come to.
    Checksum {
        /// As of this entry.
        at: Position,
        /// Over all rows.
        checksum: u64,
    },
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It is in place.
    Taken,
    /// The checksum is of another entry than the last one applied: compare anew.
    Missed,
    /// The rows are not the primary's. This replica is of no use.
    Differs,
}

impl Frame {
    /// About how many bytes it takes to send it.
    pub fn payload(&self) -> usize {
        let entries = |entries: &[Arc<Entry>]| entries.iter().map(|entry| entry.payload()).sum::<usize>();
        let body = match &self.body {
            Body::Prepare { entries: prepared, .. } => entries(prepared),
            Body::Fill { part: Part::Log { entries: kept, .. }, .. } => entries(kept),
            Body::Fill { part: Part::Rows { rows, .. }, .. } => rows.iter().map(Record::size).sum(),
            _ => 0,
        };
        size_of::<Frame>() + body
    }
}
