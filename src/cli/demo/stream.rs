//! Payments on their way: a simulator, and callers that put what it makes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    task::JoinSet,
};

use super::marks::Marks;
use crate::{
    cli::{clock::now, interrupt::Interrupt, patient::Patient, payments::Simulator},
    client::{Map, Put},
    row::Schema,
    types::{Error, Key, KeyRef, Result},
};

/// Callers at work at the same time.
pub(super) const CALLERS: usize = 16;
/// Payments a call.
pub(super) const BATCH: usize = 32;
/// The most payments of a demo: they stay in memory until the end. A longer demo is paced.
pub(super) const MOST_PAYMENTS: u64 = 2_000_000;

/// What was streamed so far.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    pub(super) scored: u64,
    /// Why the first payment that was refused was.
    pub(super) refusal: Option<Error>,
    /// A call each, in microseconds.
    pub(super) latency: Histogram<u64>,
    /// The same since the last look.
    pub(super) window: Histogram<u64>,
    /// When a node was killed.
    disturbed: Option<Instant>,
    /// How long after that a call was first answered that began after it. A call's payments are of many partitions, those
    /// of the node that is gone among them.
    pub(super) failover: Option<Duration>,
}

/// What the streaming shares with those who watch it.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) tally: Mutex<Tally>,
    pub(super) acknowledged: Marks,
    stopped: AtomicBool,
}

/// Some payments: key and packed row.
type Batch = Vec<(Key, Bytes)>;

impl Streaming {
    pub(super) fn new() -> Arc<Self> {
        let histogram =
            || Histogram::new_with_bounds(1, 60_000_000, 3).expect("constant bounds that fit each other");
        let tally = Tally {
            sent: 0,
            acknowledged: 0,
            scored: 0,
            refusal: None,
            latency: histogram(),
            window: histogram(),
            disturbed: None,
            failover: None,
        };
        Arc::new(Streaming {
            tally: Mutex::new(tally),
            acknowledged: Marks::below(MOST_PAYMENTS + 1),
            stopped: AtomicBool::new(false),
        })
    }

    /// Streams the payments of a seed for this long, or until the user asks to stop. Gives the time it took.
    pub(super) async fn run(
        self: &Arc<Self>,
        map: &Map,
        seed: u64,
        length: Duration,
        mut interrupt: Interrupt,
    ) -> Result<Duration> {
        let schema = map.description().require_schema()?.clone();
        let (sender, receiver) = mpsc::channel(2 * CALLERS);
        let start = now();
        let streaming = Arc::clone(self);
        let simulation =
            tokio::task::spawn_blocking(move || streaming.simulate(&schema, seed, start, length, &sender));
        let receiver = Arc::new(AsyncMutex::new(receiver));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(Arc::clone(self).call(map.clone(), Arc::clone(&receiver)));
        }
        let stop = async {
            interrupt.wait().await;
            self.stopped.store(true, Relaxed);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = callers.join_all() => {}
            () = stop => {}
        }
        let elapsed = start.elapsed();
        simulation.await.map_err(|error| Error::internal(format!("the simulation failed: {error}")))??;
        Ok(elapsed)
    }

    /// Makes payments until the time is over, no faster than the most of them last for it.
    fn simulate(
        &self,
        schema: &Schema,
        seed: u64,
        start: Instant,
        length: Duration,
        sender: &mpsc::Sender<Batch>,
    ) -> Result<()> {
        let mut payments = Simulator::new(seed);
        for first in (0..MOST_PAYMENTS).step_by(BATCH) {
            let due = length.mul_f64(first as f64 / MOST_PAYMENTS as f64);
            if let Some(early) = due.checked_sub(start.elapsed()) {
                std::thread::sleep(early.min(Duration::from_millis(50)));
            }
            if start.elapsed() >= length || self.stopped.load(Relaxed) {
                break;
            }
            let mut batch = Vec::with_capacity(BATCH);
            for payment in payments.by_ref().take(BATCH) {
                batch.push((Key::from(payment.id), Bytes::from(payment.pack(schema)?)));
            }
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Puts batch after batch, as one of the callers.
    async fn call(self: Arc<Self>, map: Map, batches: Arc<AsyncMutex<mpsc::Receiver<Batch>>>) {
        let mut map = Patient::new(map, BATCH);
        loop {
            let Some(batch) = batches.lock().await.recv().await else { return };
            let asked = now();
            let puts = map.put(&batch).await;
            self.count(&batch, puts, asked);
        }
    }

    /// A node was killed at that moment.
    pub(super) fn disturbed(&self, at: Instant) {
        self.tally.lock().disturbed = Some(at);
    }

    fn count(&self, batch: &Batch, puts: Result<Vec<Result<Put>>>, asked: Instant) {
        let took = asked.elapsed();
        let mut tally = self.tally.lock();
        tally.sent += batch.len() as u64;
        let puts = match puts {
            Ok(puts) => puts,
            Err(refusal) => {
                tally.refusal.get_or_insert(refusal);
                return;
            }
        };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tally.latency.saturating_record(took_us);
        tally.window.saturating_record(took_us);
        if let Some(at) = tally.disturbed.filter(|at| *at <= asked)
            && puts.iter().all(Result::is_ok)
        {
            tally.failover.get_or_insert(at.elapsed());
        }
        for ((key, _), put) in batch.iter().zip(puts) {
            match put {
                Ok(put) => {
                    self.acknowledged.mark(id(key));
                    tally.acknowledged += 1;
                    tally.scored += u64::from(!put.scores.is_empty());
                }
                Err(refusal) => {
                    tally.refusal.get_or_insert(refusal);
                }
            }
        }
    }
}

/// The payment's id; every key is one.
pub(super) fn id(key: &Key) -> i64 {
    match key.payload() {
        KeyRef::I64(id) => id,
        KeyRef::Str(_) | KeyRef::Bytes(_) => -1,
    }
}
