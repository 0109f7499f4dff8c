//! Callers that write all the time: one for each partition, with a key of its own there, so that the slowest partition is
//! the caller that waits longest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use embergrid::client::{Client, Map, Put, Row};
use embergrid::types::Result;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::clock::now;
use crate::harness::Payments;
use crate::keys::a_key_of_each;
use crate::ledger::Ledger;
use crate::waits::Waits;

/// From an acknowledgement to the caller's next write. Without a pause they would take the processor from the nodes.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);
/// The column that carries the number of the write.
const NUMBER: &str = "amount";
/// The column that the binding fills.
const SCORE: &str = "fraud";

/// The callers.
pub(crate) struct Writers {
    shared: Arc<Shared>,
    callers: JoinSet<Caller>,
}

/// What the callers came to.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    /// Acknowledged writes that were not there later, with their scores.
    pub(crate) lost: u64,
}

struct Shared {
    map: Map,
    waits: Mutex<Waits>,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    stopped: AtomicBool,
}

struct Caller {
    number: usize,
    key: i64,
    row: serde_json::Map<String, Value>,
    ledger: Ledger,
}

impl Writers {
    /// Begins to write to every partition of the map of payments.
    pub(crate) async fn start(client: &Client, payments: &Payments, partitions: u16) -> Result<Self> {
        let shared = Arc::new(Shared {
            map: client.map("payments").await?,
            waits: Mutex::new(Waits::new(partitions.into(), now())),
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let mut callers = JoinSet::new();
        let rows = payments.objects().into_iter().cycle();
        for (number, (key, row)) in a_key_of_each(partitions).into_iter().zip(rows).enumerate() {
            let caller = Caller { number, key, row, ledger: Ledger::default() };
            // Spread over the pause, so that the writes do not come all at once.
            let delay = PAUSE.mul_f64(number as f64 / f64::from(partitions));
            callers.spawn(caller.write(shared.clone(), delay));
        }
        Ok(Self { shared, callers })
    }

    /// The waits of the callers.
    pub(crate) fn waits<T>(&self, look: impl FnOnce(&mut Waits) -> T) -> T {
        look(&mut self.shared.waits.lock())
    }

    /// Stops writing and reads every key back by another client.
    pub(crate) async fn stop(self, reader: &Client) -> Result<Totals> {
        self.shared.stopped.store(true, Relaxed);
        let map = reader.map("payments").await?;
        for caller in self.callers.join_all().await {
            caller.check(&self.shared, map.get_raw(caller.key).await?.as_ref());
        }
        let count = |count: &AtomicU64| count.load(Relaxed);
        let Shared { acknowledged, refused, lost, .. } = &*self.shared;
        Ok(Totals { acknowledged: count(acknowledged), refused: count(refused), lost: count(lost) })
    }
}

impl Shared {
    fn lose(&self, what: std::fmt::Arguments<'_>) {
        self.lost.fetch_add(1, Relaxed);
        eprintln!("LOST: {what}");
    }
}

impl Caller {
    async fn write(mut self, shared: Arc<Shared>, delay: Duration) -> Self {
        tokio::time::sleep(delay).await;
        while !shared.stopped.load(Relaxed) {
            let value = self.ledger.next();
            self.row.insert(NUMBER.to_owned(), value.into());
            let row = shared.map.pack_json(&self.row).expect("a row of the schema");
            let begun = now();
            let put = shared.map.put_raw(self.key, row).await;
            self.settle(&shared, value, begun, put);
            tokio::time::sleep(PAUSE).await;
        }
        self
    }

    fn settle(&mut self, shared: &Shared, value: u64, begun: Instant, put: Result<Put>) {
        match put {
            Ok(put) => {
                shared.waits.lock().acknowledge(self.number, begun, now());
                shared.acknowledged.fetch_add(1, Relaxed);
                if put.score(SCORE).is_none() {
                    shared.lose(format_args!(
                        "key {}: write {value} is acknowledged without a score",
                        self.key
                    ));
                }
                self.check(shared, put.old.as_ref());
                self.ledger.acknowledge(value);
            }
            Err(refusal) => {
                shared.refused.fetch_add(1, Relaxed);
                eprintln!("key {}, write {value}: {refusal} after {:?}", self.key, begun.elapsed());
                self.ledger.doubt(value);
            }
        }
    }

    /// Whether what was written last is there, with its score.
    fn check(&self, shared: &Shared, found: Option<&Row>) {
        let found = found.map(number_and_score);
        let is_scored = found.is_none_or(|(_, score)| score.is_some());
        if !is_scored || !self.ledger.allows(found.map(|(number, _)| number)) {
            shared.lose(format_args!("key {} holds {found:?}; {}", self.key, self.ledger));
        }
    }
}

fn number_and_score(row: &Row) -> (u64, Option<f32>) {
    let columns = row.columns().expect("a row of the schema");
    let column = |name| columns.schema().column(name).expect("a column of the schema");
    (columns.f64(column(NUMBER)).expect("never null") as u64, columns.f32(column(SCORE)))
}
