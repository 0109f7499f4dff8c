//! What the kills came to.

use std::time::Duration;

use crate::harness::{Cell, Report};

/// What one kill did.
pub(crate) struct Kill {
    /// Whether the node led the control group.
    pub(crate) leads_control: bool,
    /// The longest that a caller went without an acknowledged write, from the kill on.
    pub(crate) wait: Duration,
    /// The same while the node came back and was filled again.
    pub(crate) wait_at_return: Duration,
}

/// Adds the percentiles: of all kills, and apart of those that hit the control leader and of those that did not.
pub(crate) fn add(report: &mut Report, kills: &[Kill]) {
    let waits = |is_in: fn(&Kill) -> bool| -> Vec<Duration> {
        kills.iter().filter(|kill| is_in(kill)).map(|kill| kill.wait).collect()
    };
    add_group(report, "any node killed", waits(|_| true));
    add_group(report, "the control leader killed", waits(|kill| kill.leads_control));
    add_group(report, "another node killed", waits(|kill| !kill.leads_control));
    add_group(report, "a killed node back", kills.iter().map(|kill| kill.wait_at_return).collect());
}

fn add_group(report: &mut Report, name: &str, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    report.add(Cell::alone(format!("{name}, times"), "times", waits.len() as f64));
    let Some(max) = waits.last() else { return };
    // The smallest wait that is not exceeded in so many of a hundred.
    let percentile = |percent: usize| waits[(waits.len() * percent).div_ceil(100) - 1];
    for (figure, wait) in [("p50", percentile(50)), ("p99", percentile(99)), ("max", *max)] {
        let name = format!("{name}, longest wait for a write, {figure}");
        report.add(Cell::alone(name, "ms", wait.as_secs_f64() * 1e3));
    }
}
