//! Percentiles of waits.

use std::time::Duration;

/// The smallest wait that is not exceeded in so many of a hundred, in milliseconds; none of no waits.
pub(crate) fn of(percent: usize, waits: &[Duration]) -> Option<u64> {
    let mut waits = waits.to_vec();
    waits.sort_unstable();
    let at = (waits.len() * percent).div_ceil(100).checked_sub(1)?;
    waits.get(at).map(|wait| wait.as_millis() as u64)
}
