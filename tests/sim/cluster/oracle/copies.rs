//! "An acknowledged write is never lost" while one member of the in-sync set survives: whoever may be promoted holds all that is
//! committed. This looks at every entry when it is committed and at every configuration when it begins, whether or not
//! anybody is promoted.

use embergrid::catalog::{Configuration, Replica};
use embergrid::partition::Core;
use embergrid::types::Position;

use super::{Verdict, ensure};

/// The last committed entry, and what the replicas hold that run.
pub(crate) fn check<'a>(
    committed: Position,
    held: &Configuration,
    core: impl Fn(&Replica) -> Option<&'a Core>,
) -> Verdict {
    if held.generation != committed.generation {
        return Ok(());
    }
    let lacks = |replica: &&Replica| core(replica).is_some_and(|core| core.end() < committed);
    let lacking = held.in_sync.iter().chain(&held.eligible).find(lacks);
    ensure(lacking.is_none(), || {
        format!("{committed} is committed, and {lacking:?} does not hold it: {held:?}")
    })
}
