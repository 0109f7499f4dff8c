//! A row is there until an entry says that it has expired, and that is a second after its time at the latest (protocol
//! rule 24). That reads go by the entry alone is in `reads`, that the entry is not early in `effects`.

use embergrid::types::Timestamp;

use super::{Timeline, Verdict, ensure};

/// How late an entry may be, while somebody serves.
pub(crate) const LATE_MOST_MS: i64 = 1_000;

/// It is this time at the primary, which has served for longer than that.
pub(crate) fn check(timeline: &Timeline, now: Timestamp) -> Verdict {
    let overdue =
        timeline.rows.values().find(|row| row.expires_at().is_some_and(|at| at.0 + LATE_MOST_MS < now.0));
    ensure(overdue.is_none(), || format!("it is {now:?}, and {overdue:?} has not expired"))
}
