//! Trying again, for a while.

use std::time::Duration;

use crate::{
    node::Grid,
    types::{Class, Error, Result},
};

/// How long a partition on the move is waited for, unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first pause; it doubles with each attempt.
const SHORTEST: Duration = Duration::from_millis(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(100);

/// Whether a read that was refused so may succeed a moment later, here or elsewhere: the partition is on the move, or its primary
/// has no lease at the moment.
pub(super) fn is_passing(refusal: &Error) -> bool {
    matches!(refusal.class, Class::NotPrimary | Class::Unavailable)
}

/// What is left of the time for attempts.
#[derive(Debug)]
pub(super) struct Patience {
    until_us: u64,
    pause: Duration,
}

impl Patience {
    /// Attempts end at the caller's deadline; without one after [`PATIENCE`].
    pub(super) fn until(deadline_us: Option<u64>, now_us: u64) -> Self {
        let most_us = now_us.saturating_add(PATIENCE.as_micros() as u64);
        Patience { until_us: deadline_us.unwrap_or(most_us), pause: SHORTEST }
    }

    /// What is left.
    pub(super) fn left(&self, now_us: u64) -> Duration {
        Duration::from_micros(self.until_us.saturating_sub(now_us))
    }

    /// Returns when it is time for the next attempt; without time for one the refusal is the answer.
    pub(super) async fn pause(&mut self, grid: &Grid, refusal: Error) -> Result<()> {
        if self.left(grid.mono_us()) <= self.pause {
            return Err(given_up(refusal));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = LONGEST.min(self.pause * 2);
        Ok(())
    }
}

/// Where a partition is means nothing to whoever asks any node.
fn given_up(mut refusal: Error) -> Error {
    if refusal.class == Class::NotPrimary {
        refusal.class = Class::Unavailable;
        refusal = refusal.hint("the partition is on the move: retry in a moment");
    }
    refusal
}
