//! Time as the pure rooms see it: an argument.

use std::fmt;

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

impl Timestamp {
    /// Reads RFC 3339, to the millisecond.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_millisecond()))
    }
}

/// RFC 3339 in UTC; the bare number of milliseconds where the calendar ends (years -9999 to 9999).
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}
