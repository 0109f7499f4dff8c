//! How long callers go without an acknowledged write.

use std::time::{Duration, Instant};

/// The waits of all callers since the present stretch of time began.
pub(crate) struct Waits {
    since: Instant,
    callers: Vec<Wait>,
}

#[derive(Clone, Copy)]
struct Wait {
    /// When a write was acknowledged last.
    last: Instant,
    longest: Duration,
    /// A write was acknowledged that began within the stretch.
    resumed: bool,
}

impl Waits {
    /// Of so many callers.
    pub(crate) fn new(callers: usize, now: Instant) -> Self {
        let wait = Wait { last: now, longest: Duration::ZERO, resumed: false };
        Self { since: now, callers: vec![wait; callers] }
    }

    /// Begins another stretch: what was waited before it does not count.
    pub(crate) fn begin(&mut self, now: Instant) {
        *self = Self::new(self.callers.len(), now);
    }

    /// A write of this caller that began at `begun` is acknowledged now.
    pub(crate) fn acknowledge(&mut self, caller: usize, begun: Instant, now: Instant) {
        let wait = &mut self.callers[caller];
        wait.longest = wait.longest.max(now.saturating_duration_since(wait.last));
        wait.last = now.max(wait.last);
        wait.resumed |= begun >= self.since;
    }

    /// How many callers have had no write acknowledged that began within the stretch.
    pub(crate) fn waiting(&self) -> usize {
        self.callers.iter().filter(|wait| !wait.resumed).count()
    }

    /// How many callers have waited for longer than that within the stretch.
    pub(crate) fn longer_than(&self, most: Duration, now: Instant) -> usize {
        self.each(now).filter(|wait| *wait > most).count()
    }

    /// The longest wait of any caller within the stretch.
    pub(crate) fn longest(&self, now: Instant) -> Duration {
        self.each(now).max().unwrap_or_default()
    }

    /// Each caller's longest wait, one that has not ended included.
    fn each(&self, now: Instant) -> impl Iterator<Item = Duration> {
        self.callers.iter().map(move |wait| wait.longest.max(now.saturating_duration_since(wait.last)))
    }
}
