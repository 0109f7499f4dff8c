//! "Operations on one key are linearizable": whoever may be read at a moment has all that is committed by then. This looks at
//! every moment in which something is committed, whether or not anybody happens to read.

use embergrid::partition::{Core, Entry};
use embergrid::types::NodeId;

use super::{Verdict, ensure};

/// The entry is committed, for the first time; this node's replica may be read now.
pub(crate) fn check(entry: &Entry, node: NodeId, core: &Core) -> Verdict {
    // A holder of what was given up may answer for as long as its lease lasts.
    let is_waived = core.position().generation != entry.position.generation;
    ensure(is_waived || core.position() >= entry.position, || {
        let (position, epoch) = (entry.position, core.configuration().epoch);
        format!(
            "{position} is committed while node {node}, in epoch {epoch}, may be read at {}",
            core.position()
        )
    })
}
