//! What becomes of the packets that one node sends to another.

use std::time::Duration;

use crate::dice::Dice;

/// Chances are in ten thousand.
const ALL: u64 = 10_000;

/// The weather in one direction of one pair of nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Nothing arrives.
    pub(crate) cut: bool,
    /// So many of ten thousand packets are lost,
    pub(crate) lost: u64,
    /// or arrive twice,
    pub(crate) twice: u64,
    /// or are kept back for up to so many microseconds, each for its own time: they overtake each other.
    pub(crate) late: u64,
    pub(crate) late_most_us: u64,
    /// Every packet takes so much longer.
    pub(crate) delay_us: u64,
}

impl Weather {
    /// Nothing arrives.
    pub(crate) fn cut() -> Self {
        Self { cut: true, ..Self::default() }
    }

    /// Losses, repetitions, delays and overtaking, as chance has it.
    pub(crate) fn rough(dice: &mut Dice) -> Self {
        Self {
            cut: false,
            lost: dice.below(800),
            twice: dice.below(500),
            late: dice.below(3_000),
            late_most_us: dice.between(1_000, 30_000),
            delay_us: dice.below(4_000),
        }
    }

    /// After how long each copy of a packet arrives.
    pub(super) fn copies(self, dice: &mut Dice) -> impl Iterator<Item = Duration> {
        // Always as many throws, whatever the weather: a packet more or less lost does not change the fate of the next.
        let (fate, twice, late) = (dice.below(ALL), dice.below(ALL), [dice.below(ALL), dice.below(ALL)]);
        let spread = [dice.roll(), dice.roll()];
        let copies = match self.cut || fate < self.lost {
            true => 0,
            false => 1 + usize::from(twice < self.twice),
        };
        (0..copies).map(move |copy| {
            let is_late = late[copy] < self.late && self.late_most_us > 0;
            let kept_back_us = if is_late { spread[copy] % self.late_most_us } else { 0 };
            Duration::from_micros(self.delay_us + kept_back_us)
        })
    }
}
