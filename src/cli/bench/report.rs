//! What a run of the load generator came to.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{drive::Measured, load::Load};

/// Rows a second, and a caller's call in percentiles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    ops_per_s: f64,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    cpu_us_per_op: f64,
    errors: u64,
    callers: usize,
    connections: usize,
}

impl Report {
    pub(super) fn new(measured: &Measured, load: &Load) -> Self {
        let rows = measured.rows.max(1) as f64;
        Report {
            ops_per_s: tenths(measured.rows as f64 / measured.elapsed.as_secs_f64().max(1e-9)),
            p50_us: percentile(&measured.latency, 0.5),
            p99_us: percentile(&measured.latency, 0.99),
            p999_us: percentile(&measured.latency, 0.999),
            cpu_us_per_op: (measured.cpu_us as f64 / rows * 1e3).round() / 1e3,
            errors: measured.refused,
            callers: load.callers,
            connections: load.connections,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rows/s       {:.0}", self.ops_per_s)?;
        writeln!(
            f,
            "a call       p50 {} us, p99 {} us, p99.9 {} us",
            self.p50_us, self.p99_us, self.p999_us
        )?;
        writeln!(f, "client CPU   {} us a row", self.cpu_us_per_op)?;
        writeln!(f, "errors       {}", self.errors)?;
        write!(f, "callers      {} over {} connection(s)", self.callers, self.connections)
    }
}

/// A percentile of nanoseconds, in microseconds.
fn percentile(latency: &Histogram<u64>, share: f64) -> f64 {
    tenths(latency.value_at_quantile(share) as f64 / 1e3)
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
