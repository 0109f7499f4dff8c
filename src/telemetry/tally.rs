//! What one worker counts between two ticks.

use std::sync::Arc;

use super::{
    metrics::{Metrics, Outcome},
    series::{Counter, DURATION, Histogram},
};

/// What kind of operation a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// put, set, put_if_absent, replace.
    Put = 0,
    /// get, contains_key.
    Get = 1,
    /// remove.
    Remove = 2,
    /// set_ttl.
    SetTtl = 3,
    /// execute_on_key.
    Execute = 4,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Kind; 5] = [Kind::Put, Kind::Get, Kind::Remove, Kind::SetTtl, Kind::Execute];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Put => "put",
            Kind::Get => "get",
            Kind::Remove => "remove",
            Kind::SetTtl => "set_ttl",
            Kind::Execute => "execute",
        }
    }
}

const BUCKETS: usize = DURATION.buckets();

/// Operations counted in plain integers by one thread, handed over by [`flush`](Self::flush) once a tick.
#[derive(Debug)]
pub struct Tally {
    kinds: [KindTally; Kind::ALL.len()],
}

#[derive(Debug)]
struct KindTally {
    touched: bool,
    outcomes: [u64; Outcome::ALL.len()],
    buckets: [u64; BUCKETS],
    sum_us: u64,
    totals: [Arc<Counter>; Outcome::ALL.len()],
    durations: Arc<Histogram>,
}

impl Tally {
    /// An empty tally that flushes into `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        Tally { kinds: Kind::ALL.map(|kind| KindTally::new(metrics, kind)) }
    }

    /// Counts one operation that took `duration_us` from its decoding to its reply.
    pub fn count(&mut self, kind: Kind, outcome: Outcome, duration_us: u64) {
        let tally = &mut self.kinds[kind as usize];
        tally.touched = true;
        tally.outcomes[outcome.index()] += 1;
        tally.buckets[DURATION.bucket(duration_us)] += 1;
        tally.sum_us += duration_us;
    }

    /// Adds what was counted to the node's metrics and starts anew.
    pub fn flush(&mut self) {
        self.kinds.iter_mut().filter(|tally| tally.touched).for_each(KindTally::flush);
    }
}

impl KindTally {
    fn new(metrics: &Metrics, kind: Kind) -> Self {
        KindTally {
            touched: false,
            outcomes: [0; Outcome::ALL.len()],
            buckets: [0; BUCKETS],
            sum_us: 0,
            totals: Outcome::ALL.map(|outcome| metrics.operations.with(&[kind.name(), outcome.name()])),
            durations: metrics.operation_durations.with(&[kind.name()]),
        }
    }

    fn flush(&mut self) {
        for (total, count) in self.totals.iter().zip(&mut self.outcomes) {
            if *count > 0 {
                total.add(std::mem::take(count));
            }
        }
        for (bucket, count) in self.buckets.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
            self.durations.add(bucket, std::mem::take(count), std::mem::take(&mut self.sum_us));
        }
        self.touched = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Class;

    #[test]
    fn a_flush_hands_over_once() {
        let metrics = Metrics::new();
        let mut tally = Tally::new(&metrics);
        tally.count(Kind::Put, Outcome::Ok, 15);
        tally.count(Kind::Put, Outcome::Ok, 40);
        tally.count(Kind::Put, Outcome::Refused(Class::Overloaded), 1);
        tally.flush();
        tally.flush();
        let text = metrics.render();
        for line in [
            "embergrid_operations_total{kind=\"put\",outcome=\"ok\"} 2",
            "embergrid_operations_total{kind=\"put\",outcome=\"overloaded\"} 1",
            "embergrid_operation_duration_seconds_sum{kind=\"put\"} 0.000056",
            "embergrid_operation_duration_seconds_count{kind=\"put\"} 3",
            "embergrid_operation_duration_seconds_bucket{kind=\"put\",le=\"0.00002\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
