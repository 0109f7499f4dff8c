//! The clocks of one machine: off by something, and faster or slower than true time.

use embergrid::types::{Now, Timestamp};

use crate::dice::Dice;

/// The time of day when a run begins.
const BIRTH_MS: i64 = 1_700_000_000_000;
/// How much faster or slower than true time a clock may go, in millionths: any two differ by less than 5 %.
const DRIFT: u64 = 24_000;

/// The clocks of one machine. They go on while it is paused or off.
pub(crate) struct Clock {
    ahead_us: u64,
    drift: i64,
    skew_ms: i64,
}

impl Clock {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let most = DRIFT as i64;
        // Every other one is as wrong as it may be.
        let drift =
            if dice.percent(50) { dice.one_of(&[-most, most]) } else { dice.below(2 * DRIFT) as i64 - most };
        Clock { ahead_us: dice.below(5_000_000), drift, skew_ms: dice.below(100) as i64 - 50 }
    }

    /// The monotonic clock at a true time.
    pub(crate) fn mono_us(&self, now_us: u64) -> u64 {
        (self.ahead_us + now_us).saturating_add_signed(now_us as i64 * self.drift / 1_000_000)
    }

    /// When in true time the monotonic clock shows `mono_us`, or has passed it.
    pub(crate) fn true_us(&self, mono_us: u64) -> u64 {
        let shown = i128::from(mono_us.saturating_sub(self.ahead_us));
        let mut at_us = (shown * 1_000_000 / i128::from(1_000_000 + self.drift)) as u64;
        while self.mono_us(at_us) < mono_us {
            at_us += 1;
        }
        at_us
    }

    pub(crate) fn now(&self, now_us: u64) -> Now {
        let wall = Timestamp(BIRTH_MS + (now_us / 1_000) as i64 + self.skew_ms);
        Now { mono_us: self.mono_us(now_us), wall }
    }

    /// Somebody sets the time of day.
    pub(crate) fn jump(&mut self, dice: &mut Dice) {
        self.skew_ms = dice.below(1_000) as i64 - 500;
    }
}
