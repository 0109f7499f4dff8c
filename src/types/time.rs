//! Time as the pure rooms see it: an argument.

use serde::{Deserialize, Serialize};

/// What the clocks said when an input was handed over.
///
/// `mono_us` measures durations (leases, deadlines) and never goes back within one incarnation; `wall` is the
/// time of day, used for nothing but partition time and what users are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Microseconds since the process started, on a clock that counts suspend.
    pub mono_us: u64,
    /// Time of day.
    pub wall: Timestamp,
}

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);
