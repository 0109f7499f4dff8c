//! How long the control group took, by what the nodes measure.

use std::collections::BTreeMap;

/// The metric.
const NAME: &str = "embergrid_control_commit_seconds_bucket";

/// Commits of all nodes, by the bucket that they fall into.
#[derive(Default)]
pub(crate) struct Commits {
    /// By the upper bound, in microseconds; those that were no slower, the faster ones included.
    within: BTreeMap<u64, u64>,
}

impl Commits {
    /// Adds what a node tells.
    pub(crate) fn add(&mut self, metrics: &str) {
        for line in metrics.lines().filter(|line| line.starts_with(NAME)) {
            let Some((labels, count)) = line.rsplit_once(' ') else { continue };
            let bound = labels.split("le=\"").nth(1).and_then(|rest| rest.split('"').next());
            // The bucket without a bound reads as infinite.
            let Some(seconds) = bound.and_then(|bound| bound.replace("+Inf", "inf").parse::<f64>().ok())
            else {
                continue;
            };
            *self.within.entry((seconds * 1e6) as u64).or_default() += count.parse::<u64>().unwrap_or(0);
        }
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.within.values().max().copied().unwrap_or(0)
    }

    /// The bound, in seconds, of the first bucket within which this share of them falls.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let wanted = self.count() as f64 * share;
        let bound = self.within.iter().find(|(_, count)| **count as f64 >= wanted);
        bound.map_or(f64::NAN, |(bound_us, _)| *bound_us as f64 / 1e6)
    }
}
