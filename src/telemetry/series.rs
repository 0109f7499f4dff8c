//! One number, or one distribution, that many threads add to.
//!
//! The `metrics` crate's exporter keeps every sample of a histogram until the next scrape, and reads the clock for
//! each: too dear and unbounded at a million operations a second. These are fixed arrays of atomics.

use std::{
    fmt::{self, Write},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// What a family holds one of for each set of labels.
pub(super) trait Series {
    /// The type as Prometheus names it.
    const TYPE: &'static str;

    /// Writes the sample lines. `labels` is empty or `a="b",c="d"`.
    fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result;
}

/// Only ever rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Relaxed);
    }

    /// What was added so far.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Series for Counter {
    const TYPE: &'static str = "counter";

    fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        line(out, name, "", labels, self.value())
    }
}

/// A level at this moment.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets the level.
    pub fn set(&self, level: u64) {
        self.0.store(level, Relaxed);
    }

    /// Raises the level by one.
    pub fn rise(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Lowers the level by one; pairs with [`rise`](Self::rise).
    pub fn fall(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// The level.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Series for Gauge {
    const TYPE: &'static str = "gauge";

    fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        line(out, name, "", labels, self.value())
    }
}

/// The upper bounds of a histogram's buckets, and how many of its units make one unit of what is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Inclusive upper bounds, rising; a last bucket without bound follows.
    pub(super) bounds: &'static [u64],
    /// 1,000,000 where microseconds are recorded and seconds are shown.
    pub(super) per_shown: f64,
}

/// Microseconds recorded, seconds shown: 10 us to 10 s.
pub(super) const DURATION: Scale = Scale {
    bounds: &[
        10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000, 2_000_000, 5_000_000, 10_000_000,
    ],
    per_shown: 1e6,
};

/// The same from 1 ms to 5 s, in steps of about a fifth: of what happens seldom, the slowest matter.
pub(super) const FINE_DURATION: Scale = Scale {
    bounds: &[
        1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 7_500, 9_000, 11_000, 13_000, 16_000, 20_000,
        24_000, 30_000, 36_000, 43_000, 52_000, 62_000, 75_000, 90_000, 110_000, 130_000, 160_000, 200_000,
        240_000, 300_000, 400_000, 500_000, 750_000, 1_000_000, 2_000_000, 5_000_000,
    ],
    per_shown: 1e6,
};

/// Rows of a batch.
pub(super) const ROWS: Scale =
    Scale { bounds: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096], per_shown: 1.0 };

impl Scale {
    /// The bucket that `value` falls into; the last one has no bound.
    pub(super) fn bucket(&self, value: u64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }

    /// How many buckets there are.
    pub(super) const fn buckets(&self) -> usize {
        self.bounds.len() + 1
    }
}

/// A distribution over fixed buckets.
#[derive(Debug)]
pub(super) struct Histogram {
    scale: Scale,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// An empty distribution.
    pub(super) fn new(scale: Scale) -> Self {
        let counts = (0..scale.buckets()).map(|_| AtomicU64::new(0)).collect();
        Histogram { scale, counts, sum: AtomicU64::new(0) }
    }

    /// Records `value`, in the scale's unit.
    pub(super) fn record(&self, value: u64) {
        self.add(self.scale.bucket(value), 1, value);
    }

    /// Adds `count` values that fall into `bucket` and come to `sum` together.
    pub(super) fn add(&self, bucket: usize, count: u64, sum: u64) {
        if let Some(cell) = self.counts.get(bucket) {
            cell.fetch_add(count, Relaxed);
            self.sum.fetch_add(sum, Relaxed);
        }
    }
}

impl Series for Histogram {
    const TYPE: &'static str = "histogram";

    fn write(&self, out: &mut String, name: &str, labels: &str) -> fmt::Result {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        for (index, count) in self.counts.iter().enumerate() {
            total += count.load(Relaxed);
            let bound = match self.scale.bounds.get(index) {
                Some(bound) => (*bound as f64 / self.scale.per_shown).to_string(),
                None => "+Inf".to_owned(),
            };
            line(out, name, "_bucket", &format!("{labels}{comma}le=\"{bound}\""), total)?;
        }
        line(out, name, "_sum", labels, self.sum.load(Relaxed) as f64 / self.scale.per_shown)?;
        line(out, name, "_count", labels, total)
    }
}

/// Writes one sample line.
pub(super) fn line(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &str,
    value: impl fmt::Display,
) -> fmt::Result {
    match labels {
        "" => writeln!(out, "{name}{suffix} {value}"),
        _ => writeln!(out, "{name}{suffix}{{{labels}}} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_upwards_through_its_buckets() {
        let scale = Scale { bounds: &[10, 1_000], per_shown: 1e3 };
        let histogram = Histogram::new(scale);
        for value in [3, 10, 11, 5_000] {
            histogram.record(value);
        }
        let mut out = String::new();
        histogram.write(&mut out, "x", "k=\"put\"").expect("a String");
        assert_eq!(
            out,
            "x_bucket{k=\"put\",le=\"0.01\"} 2\n\
             x_bucket{k=\"put\",le=\"1\"} 3\n\
             x_bucket{k=\"put\",le=\"+Inf\"} 4\n\
             x_sum{k=\"put\"} 5.024\n\
             x_count{k=\"put\"} 4\n"
        );
    }
}
