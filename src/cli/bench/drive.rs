//! Callers that put load on a cluster, and what they measure.
//!
//! Closed loop: a caller makes its next call when the last is answered. Open loop: calls fall due at a rate, whether
//! or not answers come; latency counts from when a call was due, so a stall shows in every call it delayed (no
//! coordinated omission).

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use tokio::{sync::Semaphore, task::JoinSet};

use super::load::Load;
use crate::{
    cli::{clock::now, interrupt::Interrupt},
    telemetry::cpu_us,
    types::{Error, Result},
};

/// What a caller does over and over.
pub(super) trait Work: Send + Sync + 'static {
    /// Makes one call, over these rows of the run.
    fn call(&self, rows: Range<u64>) -> impl Future<Output = Answer> + Send;
}

/// How a call ended.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Rows that were refused.
    pub(super) refused: u64,
    /// Why the first of them was.
    pub(super) refusal: Option<Error>,
}

impl Answer {
    /// Of a call over one row.
    pub(super) fn of<T>(done: Result<T>) -> Self {
        let refusal = done.err();
        Answer { refused: refusal.is_some().into(), refusal }
    }

    /// Of a call over `asked` rows, each with its own answer.
    pub(super) fn of_all<T>(asked: u64, done: Result<Vec<Result<T>>>) -> Self {
        match done {
            Err(refusal) => Answer { refused: asked, refusal: Some(refusal) },
            Ok(answers) => {
                answers.into_iter().filter_map(Result::err).fold(Answer::default(), |sum, refusal| Answer {
                    refused: sum.refused + 1,
                    refusal: sum.refusal.or(Some(refusal)),
                })
            }
        }
    }
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Measured {
    /// A call each, in nanoseconds.
    pub(super) latency: Histogram<u64>,
    /// Rows answered as asked.
    pub(super) rows: u64,
    /// Rows refused.
    pub(super) refused: u64,
    /// Why the first of them was.
    pub(super) refusal: Option<Error>,
    pub(super) elapsed: Duration,
    /// Processor time of this process.
    pub(super) cpu_us: u64,
}

/// The rows of a run, handed out call by call.
#[derive(Debug)]
struct Tickets {
    next: AtomicU64,
    rows: u64,
    batch: u64,
}

impl Tickets {
    fn take(&self) -> Option<Range<u64>> {
        let first = self.next.fetch_add(self.batch, Relaxed);
        (first < self.rows).then(|| first..self.rows.min(first + self.batch))
    }

    /// No more calls.
    fn stop(&self) {
        // Far above any number of rows, and far from the end of u64.
        self.next.store(1 << 62, Relaxed);
    }
}

/// When the calls of an open loop fall due.
#[derive(Debug)]
struct Pace {
    start: Instant,
    rows_per_s: f64,
    /// One permit for each call that has fallen due and was not made yet.
    due: Semaphore,
}

impl Pace {
    fn at(&self, row: u64) -> Instant {
        self.start + Duration::from_secs_f64(row as f64 / self.rows_per_s)
    }

    /// Gives out permits until the last row is due or the calls were stopped. On a thread of its own: the runtime's
    /// timer is a millisecond coarse.
    fn run(&self, tickets: &Tickets) {
        for first in (0..tickets.rows).step_by(tickets.batch as usize) {
            while let Some(wait) = self.at(first).checked_duration_since(now()).filter(|wait| !wait.is_zero())
            {
                if tickets.next.load(Relaxed) >= tickets.rows {
                    return;
                }
                std::thread::sleep(wait.min(Duration::from_millis(100)));
            }
            self.due.add_permits(1);
        }
    }
}

/// Runs the load to its end, or until the user asks to stop.
pub(super) async fn drive<W: Work>(
    work: Arc<W>,
    load: &Load,
    mut interrupt: Interrupt,
    progress: &ProgressBar,
) -> Measured {
    let tickets =
        Arc::new(Tickets { next: AtomicU64::new(0), rows: load.requests, batch: load.batch as u64 });
    let (start, cpu_before) = (now(), cpu_us());
    let pace = load.rate.map(|rows_per_s| Arc::new(Pace { start, rows_per_s, due: Semaphore::new(0) }));
    if let Some(pace) = pace.clone() {
        let tickets = Arc::clone(&tickets);
        tokio::task::spawn_blocking(move || pace.run(&tickets));
    }
    let mut callers = JoinSet::new();
    for _ in 0..load.callers {
        let caller = Caller {
            work: Arc::clone(&work),
            tickets: Arc::clone(&tickets),
            pace: pace.clone(),
            progress: progress.clone(),
        };
        callers.spawn(caller.run());
    }
    let stop = async {
        interrupt.wait().await;
        tickets.stop();
        if let Some(pace) = &pace {
            pace.due.close();
        }
        std::future::pending::<()>().await;
    };
    let all = tokio::select! {
        all = callers.join_all() => all,
        () = stop => Vec::new(),
    };
    Measured::of(all, start.elapsed(), cpu_us() - cpu_before)
}

/// What one caller measured.
#[derive(Debug)]
struct Tally {
    latency: Histogram<u64>,
    rows: u64,
    refused: u64,
    refusal: Option<Error>,
}

struct Caller<W> {
    work: Arc<W>,
    tickets: Arc<Tickets>,
    pace: Option<Arc<Pace>>,
    progress: ProgressBar,
}

impl<W: Work> Caller<W> {
    async fn run(self) -> Tally {
        let mut tally = Tally { latency: empty(), rows: 0, refused: 0, refusal: None };
        loop {
            if let Some(pace) = &self.pace {
                // Closed: stopped.
                let Ok(permit) = pace.due.acquire().await else { return tally };
                permit.forget();
            }
            let Some(rows) = self.tickets.take() else { return tally };
            let due = self.pace.as_ref().map_or_else(now, |pace| pace.at(rows.start));
            let (asked, last) = (rows.end - rows.start, rows.end == self.tickets.rows);
            let answer = self.work.call(rows).await;
            tally.add(asked, due.elapsed(), answer);
            self.progress.inc(asked);
            if let Some(pace) = self.pace.as_ref().filter(|_| last) {
                pace.due.close();
            }
        }
    }
}

impl Tally {
    fn add(&mut self, asked: u64, took: Duration, answer: Answer) {
        self.rows += asked - answer.refused;
        self.refused += answer.refused;
        self.refusal = self.refusal.take().or(answer.refusal);
        // A call that was refused whole would flatter the figures: refusing is quick.
        if answer.refused < asked {
            self.latency.saturating_record(took.as_nanos().try_into().unwrap_or(u64::MAX));
        }
    }
}

impl Measured {
    fn of(tallies: Vec<Tally>, elapsed: Duration, cpu_us: u64) -> Self {
        let mut all = Measured { latency: empty(), rows: 0, refused: 0, refusal: None, elapsed, cpu_us };
        for tally in tallies {
            all.rows += tally.rows;
            all.refused += tally.refused;
            all.refusal = all.refusal.or(tally.refusal);
            // Both have the same bounds.
            let _ = all.latency.add(&tally.latency);
        }
        all
    }
}

/// Nanoseconds up to a minute, to a thousandth.
fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds that fit each other")
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    /// Refuses every row whose number ends in 7.
    #[derive(Default)]
    struct Rows(Mutex<Vec<u64>>);

    impl Work for Rows {
        async fn call(&self, rows: Range<u64>) -> Answer {
            let refused = rows.clone().filter(|row| row % 10 == 7).count() as u64;
            self.0.lock().extend(rows);
            Answer { refused, refusal: (refused > 0).then(|| Error::invalid("a seven")) }
        }
    }

    async fn run(rate: Option<f64>) -> (Vec<u64>, Measured) {
        let work = Arc::new(Rows::default());
        let load = Load { callers: 3, connections: 1, threads: 1, batch: 4, requests: 30, rate };
        let interrupt = Interrupt::listen().expect("signals");
        let measured = drive(Arc::clone(&work), &load, interrupt, &ProgressBar::hidden()).await;
        let mut rows = work.0.lock().clone();
        rows.sort_unstable();
        (rows, measured)
    }

    #[tokio::test]
    async fn every_row_is_sent_once_in_either_loop() {
        for rate in [None, Some(1e6)] {
            let (rows, measured) = run(rate).await;
            assert_eq!(rows, (0..30).collect::<Vec<_>>());
            assert_eq!((measured.rows, measured.refused, measured.latency.len()), (27, 3, 8));
            assert_eq!(measured.refusal, Some(Error::invalid("a seven")));
        }
    }
}
