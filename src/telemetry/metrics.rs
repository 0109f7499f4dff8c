//! Everything a node measures, by name.

use std::{fmt, sync::Arc};

use super::{
    family::Family,
    peers::{LaneMetrics, Peers},
    process,
    series::{self, Counter, DURATION, FINE_DURATION, Gauge, Histogram, ROWS},
};
use crate::types::Class;

/// How an operation or a score ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As asked.
    Ok,
    /// Refused, and why.
    Refused(Class),
}

impl Outcome {
    /// Every outcome, in the order of [`index`](Self::index).
    pub const ALL: [Outcome; 11] = [
        Outcome::Ok,
        Outcome::Refused(Class::Invalid),
        Outcome::Refused(Class::NotFound),
        Outcome::Refused(Class::Conflict),
        Outcome::Refused(Class::NotPrimary),
        Outcome::Refused(Class::Overloaded),
        Outcome::Refused(Class::Unavailable),
        Outcome::Refused(Class::Deadline),
        Outcome::Refused(Class::Unauthenticated),
        Outcome::Refused(Class::Denied),
        Outcome::Refused(Class::Internal),
    ];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Refused(class) => class.name(),
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        match self {
            Outcome::Ok => 0,
            Outcome::Refused(class) => class as usize + 1,
        }
    }
}

/// Everything a node measures. Names follow Prometheus; those of inference end as Triton's `nv_inference_*` do.
#[derive(Debug)]
pub struct Metrics {
    pub(super) operations: Family<Counter>,
    pub(super) operation_durations: Family<Histogram>,
    scores: Family<Counter>,
    request_success: Family<Counter>,
    request_failure: Family<Counter>,
    inference_count: Family<Counter>,
    exec_count: Family<Counter>,
    queue_us: Family<Counter>,
    infer_us: Family<Counter>,
    batch_rows: Family<Histogram>,
    infer_durations: Family<Histogram>,
    events: Family<Counter>,
    overruns: Family<Counter>,
    sessions: Family<Gauge>,
    differences: Family<Counter>,
    control_commits: Family<Histogram>,
    subscriptions: Family<Gauge>,
    catalogue_version: Family<Gauge>,
    map_rows: Family<Gauge>,
    peers: Peers,
}

/// What is counted of one binding; keep it as long as the binding is compiled.
#[derive(Clone, Debug)]
pub struct BindingMetrics {
    outcomes: [Arc<Counter>; Outcome::ALL.len()],
}

impl BindingMetrics {
    /// Counts rows whose score ended this way.
    pub fn count(&self, outcome: Outcome, rows: u64) {
        self.outcomes[outcome.index()].add(rows);
    }
}

/// What is counted of one model version; keep it as long as the model is loaded.
#[derive(Clone, Debug)]
pub struct ModelMetrics {
    request_success: Arc<Counter>,
    request_failure: Arc<Counter>,
    inference_count: Arc<Counter>,
    exec_count: Arc<Counter>,
    queue_us: Arc<Counter>,
    infer_us: Arc<Counter>,
    batch_rows: Arc<Histogram>,
    infer_durations: Arc<Histogram>,
}

impl ModelMetrics {
    /// Counts one execution over `rows` rows that had waited `queue_us` (the longest of them) and took `infer_us`.
    pub fn executed(&self, rows: u64, queue_us: u64, infer_us: u64) {
        self.request_success.add(rows);
        self.inference_count.add(rows);
        self.exec_count.add(1);
        self.queue_us.add(queue_us);
        self.infer_us.add(infer_us);
        self.batch_rows.record(rows);
        self.infer_durations.record(infer_us);
    }

    /// Counts rows that the model could not score.
    pub fn failed(&self, rows: u64) {
        self.request_failure.add(rows);
    }
}

/// The labels of a model version.
const MODEL: &[&str] = &["model", "version"];

impl Metrics {
    /// Nothing measured yet.
    pub fn new() -> Self {
        let counter = Counter::default;
        let gauge = Gauge::default;
        let duration = || Histogram::new(DURATION);
        Metrics {
            operations: Family::new(
                "embergrid_operations_total",
                "Operations answered.",
                &["kind", "outcome"],
                counter,
            ),
            operation_durations: Family::new(
                "embergrid_operation_duration_seconds",
                "From the decoding of an operation to its reply.",
                &["kind"],
                duration,
            ),
            scores: Family::new(
                "embergrid_scores_total",
                "Rows scored by a binding, or not, and why.",
                &["binding", "model", "version", "outcome"],
                counter,
            ),
            request_success: Family::new(
                "embergrid_inference_request_success",
                "Rows whose inference succeeded.",
                MODEL,
                counter,
            ),
            request_failure: Family::new(
                "embergrid_inference_request_failure",
                "Rows whose inference failed.",
                MODEL,
                counter,
            ),
            inference_count: Family::new("embergrid_inference_count", "Rows inferred.", MODEL, counter),
            exec_count: Family::new("embergrid_inference_exec_count", "Batches executed.", MODEL, counter),
            queue_us: Family::new(
                "embergrid_inference_queue_duration_us",
                "Time that batches waited, in all.",
                MODEL,
                counter,
            ),
            infer_us: Family::new(
                "embergrid_inference_compute_infer_duration_us",
                "Time spent executing the model, in all.",
                MODEL,
                counter,
            ),
            batch_rows: Family::new("embergrid_inference_batch_rows", "Rows of a batch.", MODEL, || {
                Histogram::new(ROWS)
            }),
            infer_durations: Family::new(
                "embergrid_inference_duration_seconds",
                "One execution of the model over its batch.",
                MODEL,
                duration,
            ),
            events: Family::new("embergrid_events_total", "Events sent to subscribers.", &["map"], counter),
            overruns: Family::new(
                "embergrid_overruns_total",
                "Subscribers too slow for their map, told so.",
                &["map"],
                counter,
            ),
            sessions: Family::new("embergrid_sessions", "Client sessions open.", &[], gauge),
            control_commits: Family::new(
                "embergrid_control_commit_seconds",
                "From the proposal of a change of configurations by this node to its outcome.",
                &[],
                || Histogram::new(FINE_DURATION),
            ),
            differences: Family::new(
                "embergrid_replica_differences_total",
                "Times that replicas of a partition were found to hold different rows, with too few to tell which are right.",
                &[],
                counter,
            ),
            subscriptions: Family::new("embergrid_subscriptions", "Subscriptions open.", &[], gauge),
            catalogue_version: Family::new(
                "embergrid_catalogue_version",
                "The version of the cluster's metadata that this node has applied.",
                &[],
                gauge,
            ),
            map_rows: Family::new("embergrid_map_rows", "Rows held.", &["map"], gauge),
            peers: Peers::new(),
        }
    }

    /// The counters of one binding for one model version.
    pub fn binding(&self, binding: &str, model: &str, version: u32) -> BindingMetrics {
        let version = version.to_string();
        let series = |outcome: Outcome| self.scores.with(&[binding, model, &version, outcome.name()]);
        BindingMetrics { outcomes: Outcome::ALL.map(series) }
    }

    /// The counters of one model version.
    pub fn model(&self, model: &str, version: u32) -> ModelMetrics {
        let labels = &[model, &version.to_string()];
        ModelMetrics {
            request_success: self.request_success.with(labels),
            request_failure: self.request_failure.with(labels),
            inference_count: self.inference_count.with(labels),
            exec_count: self.exec_count.with(labels),
            queue_us: self.queue_us.with(labels),
            infer_us: self.infer_us.with(labels),
            batch_rows: self.batch_rows.with(labels),
            infer_durations: self.infer_durations.with(labels),
        }
    }

    /// Events sent to the subscribers of a map.
    pub fn events(&self, map: &str) -> Arc<Counter> {
        self.events.with(&[map])
    }

    /// Subscribers of a map that were too slow.
    pub fn overruns(&self, map: &str) -> Arc<Counter> {
        self.overruns.with(&[map])
    }

    /// Client sessions open.
    pub fn sessions(&self) -> Arc<Gauge> {
        self.sessions.with(&[])
    }

    /// The control group has decided on what this node's primaries proposed, within so many microseconds.
    pub fn control_committed(&self, within_us: u64) {
        self.control_commits.with(&[]).record(within_us);
    }

    /// Times that replicas were found to differ, with too few to tell which are right.
    pub fn differences(&self) -> Arc<Counter> {
        self.differences.with(&[])
    }

    /// Subscriptions open.
    pub fn subscriptions(&self) -> Arc<Gauge> {
        self.subscriptions.with(&[])
    }

    /// Traffic between nodes on one lane.
    pub fn lane(&self, lane: &str) -> LaneMetrics {
        self.peers.lane(lane)
    }

    /// Connections between nodes refused for this reason.
    pub fn refused_peers(&self, reason: &str) -> Arc<Counter> {
        self.peers.refused(reason)
    }

    /// Sets what is looked up rather than counted; call it before [`render`](Self::render). Maps not given are gone.
    pub fn observe<'a>(&self, catalogue_version: u64, map_rows: impl IntoIterator<Item = (&'a str, u64)>) {
        self.catalogue_version.with(&[]).set(catalogue_version);
        self.map_rows.clear();
        map_rows.into_iter().for_each(|(map, rows)| self.map_rows.with(&[map]).set(rows));
    }

    /// Everything in Prometheus's text format, version 0.0.4.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut out).and_then(|()| write_process(&mut out));
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        self.operations.write(out)?;
        self.operation_durations.write(out)?;
        self.scores.write(out)?;
        self.request_success.write(out)?;
        self.request_failure.write(out)?;
        self.inference_count.write(out)?;
        self.exec_count.write(out)?;
        self.queue_us.write(out)?;
        self.infer_us.write(out)?;
        self.batch_rows.write(out)?;
        self.infer_durations.write(out)?;
        self.events.write(out)?;
        self.overruns.write(out)?;
        self.sessions.write(out)?;
        self.control_commits.write(out)?;
        self.differences.write(out)?;
        self.subscriptions.write(out)?;
        self.catalogue_version.write(out)?;
        self.map_rows.write(out)?;
        self.peers.write(out)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The process's own figures under the names that Prometheus's client libraries use.
fn write_process(out: &mut String) -> fmt::Result {
    out.push_str("# HELP process_cpu_seconds_total Processor time used.\n");
    out.push_str("# TYPE process_cpu_seconds_total counter\n");
    series::line(out, "process_cpu_seconds_total", "", "", process::cpu_us() as f64 / 1e6)?;
    if let Some(bytes) = process::resident_bytes() {
        out.push_str("# HELP process_resident_memory_bytes Memory held.\n");
        out.push_str("# TYPE process_resident_memory_bytes gauge\n");
        series::line(out, "process_resident_memory_bytes", "", "", bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_stands_at_its_index() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), index, "{}", outcome.name());
        }
    }

    #[test]
    fn renders_inference_as_triton_names_it() {
        let metrics = Metrics::new();
        let model = metrics.model("payments", 1);
        model.executed(64, 5, 40);
        model.failed(2);
        metrics.binding("fraud", "payments", 1).count(Outcome::Ok, 64);
        metrics.observe(7, [("payments", 64)]);
        metrics.observe(8, [("other", 1)]);
        let text = metrics.render();
        for line in [
            "embergrid_inference_request_success{model=\"payments\",version=\"1\"} 64",
            "embergrid_inference_request_failure{model=\"payments\",version=\"1\"} 2",
            "embergrid_inference_count{model=\"payments\",version=\"1\"} 64",
            "embergrid_inference_exec_count{model=\"payments\",version=\"1\"} 1",
            "embergrid_inference_queue_duration_us{model=\"payments\",version=\"1\"} 5",
            "embergrid_inference_compute_infer_duration_us{model=\"payments\",version=\"1\"} 40",
            "embergrid_inference_batch_rows_bucket{model=\"payments\",version=\"1\",le=\"64\"} 1",
            "embergrid_scores_total{binding=\"fraud\",model=\"payments\",version=\"1\",outcome=\"ok\"} 64",
            "embergrid_catalogue_version 8",
            "embergrid_map_rows{map=\"other\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("embergrid_map_rows{map=\"payments\"}"));
    }
}
