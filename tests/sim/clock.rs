//! The one place of the simulation that reads the clock: how long the runner took. No run sees this time.

use std::time::Instant;

#[allow(
    clippy::disallowed_methods,
    reason = "the runner says how many seeds it ran in a minute; no run sees this time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
