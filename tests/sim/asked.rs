//! What an operation asks for, as the oracles read it.

use embergrid::partition::{Op, Outcome, PutMode};
use embergrid::store::Record;

/// Whether the version that it expects is there.
pub(crate) fn condition(op: &Op, before: Option<&Record>) -> bool {
    let version = before.map(Record::row_version);
    match op {
        Op::Put { mode: PutMode::IfVersion(expected), .. } => version == Some(*expected),
        Op::Remove { expected: Some(expected), .. } => version == Some(*expected),
        _ => true,
    }
}

/// Whether it takes effect over the row as it was.
pub(crate) fn holds(op: &Op, before: Option<&Record>) -> bool {
    condition(op, before)
        && match op {
            Op::Put { mode: PutMode::IfAbsent, .. } => before.is_none(),
            Op::Put { mode: PutMode::Always, .. } => true,
            _ => before.is_some(),
        }
}

/// Whether the answer shows the row as it was, if that was asked for.
pub(crate) fn old_is(outcome: &Outcome, op: &Op, before: Option<&Record>) -> bool {
    let wanted = matches!(op, Op::Put { want_old: true, .. } | Op::Remove { want_old: true, .. });
    outcome.old.as_ref() == before.filter(|_| wanted)
}
