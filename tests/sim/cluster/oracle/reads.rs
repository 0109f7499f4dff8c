//! "Operations on one key are linearizable": a read that a lease covers gives the row as it was committed when it was
//! looked up, wherever that was. (That there is one order for each key is `linear.rs`, from what clients saw alone.)

use embergrid::store::Record;
use embergrid::types::{MapId, NodeId};

use super::{History, Verdict, ensure};

/// What a read must give if it is let through.
#[derive(Debug)]
pub(crate) struct Expected(Option<Record>);

impl Expected {
    /// At the moment in which the row is looked up.
    pub(crate) fn now(history: &History, map: MapId, key: &[u8]) -> Self {
        Expected(history.timeline().rows.get(&(map, key.to_vec())).cloned())
    }

    /// The lease still stands: this is what was found.
    pub(crate) fn check(&self, node: NodeId, found: Option<&Record>) -> Verdict {
        ensure(self.0.as_ref() == found, || {
            format!("an old read at node {node}: {found:?}, committed was {:?}", self.0)
        })
    }
}
