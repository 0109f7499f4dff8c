//! The one place of this bench that reads the clock.

use std::time::Instant;

/// Now.
#[allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
