//! The request numbers of a session's writes.

use std::collections::VecDeque;

/// Hands out numbers from 1 and knows the lowest one whose answer has not arrived.
#[derive(Debug)]
pub(super) struct Numbers {
    /// The lowest unanswered number, or the next one.
    below: u64,
    /// Whether `below`, `below + 1`, .. are answered.
    answered: VecDeque<bool>,
}

impl Numbers {
    pub(super) fn new() -> Self {
        Numbers { below: 1, answered: VecDeque::new() }
    }

    /// The next number, unless it would be `most` or further above the lowest unanswered one.
    pub(super) fn take(&mut self, most: u32) -> Option<u64> {
        if self.answered.len() >= most as usize {
            return None;
        }
        self.answered.push_back(false);
        Some(self.below + self.answered.len() as u64 - 1)
    }

    /// The answer to `number` has arrived, or nobody will ask for it again.
    pub(super) fn settle(&mut self, number: u64) {
        let at = number.checked_sub(self.below).and_then(|at| usize::try_from(at).ok());
        if let Some(answered) = at.and_then(|at| self.answered.get_mut(at)) {
            *answered = true;
        }
        while self.answered.front() == Some(&true) {
            self.answered.pop_front();
            self.below += 1;
        }
    }

    /// All lower numbers are answered.
    pub(super) fn acknowledged_below(&self) -> u64 {
        self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_unanswered_number_holds_back_the_rest() {
        let mut numbers = Numbers::new();
        assert_eq!([numbers.take(3), numbers.take(3), numbers.take(3)], [Some(1), Some(2), Some(3)]);
        assert_eq!(numbers.take(3), None);
        numbers.settle(2);
        assert_eq!((numbers.acknowledged_below(), numbers.take(3)), (1, None));
        numbers.settle(1);
        assert_eq!((numbers.acknowledged_below(), numbers.take(3)), (3, Some(4)));
        numbers.settle(1);
        numbers.settle(99);
        numbers.settle(4);
        numbers.settle(3);
        assert_eq!((numbers.acknowledged_below(), numbers.take(3)), (5, Some(5)));
    }
}
