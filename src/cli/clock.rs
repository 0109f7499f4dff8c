//! The clock by which commands measure: they run at the edge, where nothing is replayed.

use std::time::Instant;

#[allow(
    clippy::disallowed_methods,
    reason = "a command measures how long its calls took; no machine sees this time"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
