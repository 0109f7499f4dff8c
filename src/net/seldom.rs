//! What is said once a minute at most.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// The least time between two equal lines.
const EVERY: Duration = Duration::from_secs(60);
/// Strangers choose addresses as they like: when so many were spoken of within a minute, the next ones are not.
const MOST: usize = 1_024;

/// When what was last said.
#[derive(Debug)]
pub(super) struct Seldom<K> {
    said: HashMap<K, Instant>,
}

impl<K: Eq + Hash> Seldom<K> {
    /// Nothing said yet.
    pub(super) fn new() -> Self {
        Seldom { said: HashMap::new() }
    }

    /// Whether it is time to say `what`; if so it counts as said.
    pub(super) fn is_due(&mut self, what: K, now: Instant) -> bool {
        let is_recent = |at: &Instant| now.duration_since(*at) < EVERY;
        if self.said.get(&what).is_some_and(is_recent) {
            return false;
        }
        if self.said.len() >= MOST {
            self.said.retain(|_, at| is_recent(at));
        }
        if self.said.len() >= MOST {
            return false;
        }
        self.said.insert(what, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_once_a_minute() {
        let mut seldom = Seldom::new();
        let start = Instant::now();
        assert!(seldom.is_due("a", start));
        assert!(seldom.is_due("b", start));
        assert!(!seldom.is_due("a", start + Duration::from_secs(59)));
        assert!(seldom.is_due("a", start + EVERY));
        assert!(!seldom.is_due("a", start + EVERY));
    }

    #[test]
    fn a_flood_is_forgotten_after_a_minute() {
        let mut seldom = Seldom::new();
        let start = Instant::now();
        (0..MOST).for_each(|who| assert!(seldom.is_due(who, start)));
        assert!(!seldom.is_due(MOST, start));
        assert!(seldom.is_due(MOST, start + EVERY));
        assert_eq!(seldom.said.len(), 1);
    }
}
