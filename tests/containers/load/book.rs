//! How many operations there were, and what the oracles found.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use embergrid::types::{Class, Error, Result};
use parking_lot::Mutex;

use crate::clock::now;

/// Refusals and findings that are told in words; the others are counted.
const MOST_TOLD: usize = 20;

/// What all clients write down.
pub(crate) struct Book {
    start: Instant,
    /// How many times as long as usual callers rest.
    leisure: u32,
    stopped: AtomicBool,
    operations: AtomicU64,
    definite: AtomicU64,
    unknown: AtomicU64,
    refused: AtomicU64,
    refusals: Mutex<Vec<String>>,
}

impl Book {
    pub(super) fn new(start: Instant, leisure: u32) -> Self {
        Self {
            start,
            leisure,
            stopped: AtomicBool::new(false),
            operations: AtomicU64::new(0),
            definite: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            refusals: Mutex::new(Vec::new()),
        }
    }

    /// Nobody begins anything any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// A caller rests, from an answer to its next operation. Without rest callers would take the processor from the nodes.
    pub(super) async fn rest(&self, usual: Duration) {
        tokio::time::sleep(usual * self.leisure).await;
    }

    /// Since the beginning, in microseconds.
    pub(super) fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// An operation is over. True if its outcome is known.
    pub(super) fn note<T>(&self, what: impl Display, kind: Kind, answer: &Result<T>) -> bool {
        let Err(error) = answer else { return self.count(kind, true) };
        if kind == Kind::Conditional && is_unmet(error) {
            return self.count(kind, true);
        }
        self.refused.fetch_add(1, Relaxed);
        let mut refusals = self.refusals.lock();
        if refusals.len() < MOST_TOLD {
            refusals.push(format!("{:.3} s: {what}: {error}", self.start.elapsed().as_secs_f64()));
        }
        self.count(kind, false)
    }

    /// The same of a client that asks one node and does not retry: a refusal there tells of the node, and not of the cluster.
    pub(super) fn note_alone<T>(&self, kind: Kind, answer: &Result<T>) -> bool {
        self.count(kind, answer.is_ok())
    }

    fn count(&self, kind: Kind, is_known: bool) -> bool {
        let unknown = u64::from(!is_known && kind != Kind::Read);
        self.operations.fetch_add(1, Relaxed);
        self.definite.fetch_add(u64::from(is_known), Relaxed);
        self.unknown.fetch_add(unknown, Relaxed);
        is_known
    }

    /// Operations that were refused so far, or not answered in time.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    pub(super) fn judgement(&self) -> Judgement {
        let count = |count: &AtomicU64| count.load(Relaxed);
        Judgement {
            seconds: (now() - self.start).as_secs(),
            operations: count(&self.operations),
            definite: count(&self.definite),
            unknown: count(&self.unknown),
            refused: count(&self.refused),
            refusals: self.refusals.lock().clone(),
            ..Judgement::default()
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without its answer nothing is known, and nothing has changed.
    Read,
    /// Without its answer nobody knows whether it took effect.
    Write,
    /// A write on a condition, which may be answered by a conflict.
    Conditional,
}

/// Whether the row had another version than was asked for: an answer as good as any. (A request that is refused because it was
/// answered before is a conflict, too.)
fn is_unmet(error: &Error) -> bool {
    let is_about_the_row =
        ["the row has version", "there is no row"].iter().any(|start| error.message.starts_with(start));
    error.class == Class::Conflict && is_about_the_row
}

/// What the oracles say.
#[derive(Default)]
pub(crate) struct Judgement {
    /// How long the clients were at work.
    pub(crate) seconds: u64,
    /// Operations that were asked for.
    pub(crate) operations: u64,
    /// Those whose outcome is known.
    pub(crate) definite: u64,
    /// Writes of which nobody knows whether they took effect.
    pub(crate) unknown: u64,
    /// Operations that were refused or not answered in time, reads too.
    pub(crate) refused: u64,
    /// The first of them.
    pub(crate) refusals: Vec<String>,
    /// Acknowledged writes that are not there.
    pub(crate) lost: u64,
    /// Keys whose reads and writes no order explains.
    pub(crate) stale: u64,
    /// Keys whose order was searched for.
    pub(crate) ordered_keys: u64,
    /// Effects that came more than once.
    pub(crate) twice: u64,
    /// Rows whose score is not the model's.
    pub(crate) wrong_scores: u64,
    /// Scores that were compared with the model's.
    pub(crate) checked_scores: u64,
    /// Committed changes that a subscriber was not told of.
    pub(crate) feed_gaps: u64,
    /// Changes that it was told twice, or out of order.
    pub(crate) feed_twice: u64,
    /// Changes that subscribers were told of.
    pub(crate) feed_events: u64,
    /// Times that a subscriber was told to begin anew.
    pub(crate) feed_overruns: u64,
    /// The first findings, in words.
    pub(crate) findings: Vec<String>,
}

impl Judgement {
    /// Something is not as promised.
    pub(super) fn find(&mut self, finding: String) {
        eprintln!("FOUND: {finding}");
        if self.findings.len() < MOST_TOLD {
            self.findings.push(finding);
        }
    }

    /// Every count, by its name in the report.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 15] {
        [
            ("seconds", self.seconds),
            ("operations", self.operations),
            ("definite", self.definite),
            ("unknown", self.unknown),
            ("refused", self.refused),
            ("lost", self.lost),
            ("stale", self.stale),
            ("ordered_keys", self.ordered_keys),
            ("twice", self.twice),
            ("wrong_scores", self.wrong_scores),
            ("checked_scores", self.checked_scores),
            ("feed_gaps", self.feed_gaps),
            ("feed_twice", self.feed_twice),
            ("feed_events", self.feed_events),
            ("feed_overruns", self.feed_overruns),
        ]
    }

    /// Whether every promise was kept.
    pub(crate) fn is_kept(&self) -> bool {
        let broken = [self.lost, self.stale, self.twice, self.wrong_scores, self.feed_gaps, self.feed_twice];
        broken == [0; 6] && self.findings.is_empty()
    }
}
