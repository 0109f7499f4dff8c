//! Chance. Only `+ - * /` and square roots follow from it, so that a seed gives the same payments on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of draws, the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Draw(ChaCha8Rng::from_seed(bytes))
    }

    /// Evenly from 0 up to but not including 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    /// One of several.
    pub(super) fn one_of<T: Copy>(&mut self, several: &[T]) -> T {
        several[self.below(several.len())]
    }

    /// True this often.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Around 1, half of the draws below it, now and then many times as much (log-logistic with shape 2), at most 20.
    pub(super) fn skewed(&mut self) -> f64 {
        let unit = self.unit();
        (unit / (1.0 - unit)).sqrt().min(20.0)
    }

    /// An index drawn in proportion to its weight.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut draw = Draw::new(1);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!(draw.below(3) < 3);
            assert!(draw.skewed() <= 20.0);
            assert!(draw.weighted([0.0, 1.0, 0.0].into_iter()) == 1);
        }
    }
}
