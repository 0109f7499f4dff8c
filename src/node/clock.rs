//! The one place that reads the clock.

use rustix::time::{ClockId, clock_gettime};

use crate::types::{Now, Timestamp};

/// Reads the machine's clocks. Durations come from `CLOCK_BOOTTIME`, which counts the time that a machine or
/// container was suspended: a lease must not survive a suspend (protocol rule 15).
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin_us: u64,
}

impl Clock {
    /// A clock whose durations count from now.
    pub fn start() -> Self {
        Clock { origin_us: boottime_us() }
    }

    /// Microseconds since the start.
    pub fn mono_us(&self) -> u64 {
        boottime_us().saturating_sub(self.origin_us)
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        let wall = clock_gettime(ClockId::Realtime);
        Now { mono_us: self.mono_us(), wall: Timestamp(wall.tv_sec * 1_000 + wall.tv_nsec / 1_000_000) }
    }
}

#[cfg(target_os = "linux")]
const DURATIONS: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const DURATIONS: ClockId = ClockId::Monotonic;

fn boottime_us() -> u64 {
    let time = clock_gettime(DURATIONS);
    // Never negative: the kernel counts both from boot.
    time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_nsec.unsigned_abs() / 1_000
}
