//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// The first pause, at most.
const FIRST_MS: u64 = 50;
/// No pause is longer.
const LONGEST_MS: u64 = 1_000;

/// Pauses that double up to a bound, each drawn from the upper half of its range so that nodes that lost each other
/// together do not all come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    most_ms: u64,
    dice: u64,
}

impl Backoff {
    /// Starts with the shortest pause. `seed` decides the draws.
    pub(super) fn new(seed: u64) -> Self {
        Backoff { most_ms: FIRST_MS, dice: seed }
    }

    /// After a success: the next pause is the shortest again.
    pub(super) fn reset(&mut self) {
        self.most_ms = FIRST_MS;
    }

    /// The pause after a failure.
    pub(super) fn pause(&mut self) -> Duration {
        let half = self.most_ms / 2;
        let pause = self.most_ms - self.draw() % half;
        self.most_ms = (self.most_ms * 2).min(LONGEST_MS);
        Duration::from_millis(pause)
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_start_anew() {
        let mut backoff = Backoff::new(7);
        for most_ms in [50, 100, 200, 400, 800, 1_000, 1_000] {
            let pause = u64::try_from(backoff.pause().as_millis()).expect("short");
            assert!((most_ms / 2 + 1..=most_ms).contains(&pause), "{pause} of {most_ms}");
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(FIRST_MS));
    }

    #[test]
    fn two_nodes_draw_apart() {
        let draws =
            |seed| (0..8).scan(Backoff::new(seed), |backoff, _| Some(backoff.pause())).collect::<Vec<_>>();
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }
}
