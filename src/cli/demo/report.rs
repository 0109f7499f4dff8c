//! What the demo came to.

use std::fmt;

use serde::Serialize;

/// What the demo came to, as `--json` gives it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) scored: u64,
    pub(super) alerts: u64,
    pub(super) lost: u64,
    pub(super) wrong_scores: u64,
    pub(super) scored_per_s: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    /// From the death of a node until writes to its partitions went on; `None`: one node has nothing to fail over to.
    pub(super) failover_ms: Option<f64>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sent          {} simulated payments", self.sent)?;
        writeln!(f, "acknowledged  {}, scored {}", self.acknowledged, self.scored)?;
        writeln!(
            f,
            "read back     by a fresh client: lost {}, wrong scores {}",
            self.lost, self.wrong_scores
        )?;
        writeln!(f, "alerts        {}", self.alerts)?;
        let Report { scored_per_s, p50_us, p99_us, .. } = self;
        writeln!(
            f,
            "speed         {scored_per_s:.0} scored writes/s; a call: p50 {p50_us} us, p99 {p99_us} us"
        )?;
        match self.failover_ms {
            Some(ms) => write!(
                f,
                "failover      {ms:.0} ms from the death of a node until its partitions took writes again"
            ),
            None => write!(f, "failover      none: this was one node, its rows in one memory"),
        }
    }
}
