//! Many rows that the cluster holds, and callers that overwrite them as fast as they are answered: the measure of what is left
//! of the throughput while rows move.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use embergrid::client::{Client, Map};
use embergrid::types::{Error, Result};
use tokio::task::JoinSet;

use crate::dice::Dice;

const MAP: &str = "ballast";
const VALUE_BYTES: usize = 128;
const BATCH: u64 = 500;
const LOADERS: u64 = 8;
const CALLERS: u64 = 1_024;
/// A row may be refused so often while it is loaded.
const TRIES: u32 = 10;

/// The rows, and those who overwrite them.
pub(crate) struct Ballast {
    shared: Arc<Shared>,
    callers: JoinSet<()>,
}

struct Shared {
    map: Map,
    rows: u64,
    written: AtomicU64,
    refused: AtomicU64,
    stopped: AtomicBool,
}

impl Ballast {
    /// Writes all rows, and begins to overwrite them.
    pub(crate) async fn load(client: &Client, rows: u64, seed: u64) -> Result<Self> {
        client.create_map(MAP, None).await?;
        let shared = Arc::new(Shared {
            map: client.map(MAP).await?,
            rows,
            written: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let mut loaders = JoinSet::new();
        for loader in 0..LOADERS {
            loaders.spawn(shared.clone().fill(loader));
        }
        for loaded in loaders.join_all().await {
            loaded?;
        }
        let mut dice = Dice::new(seed);
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(shared.clone().overwrite(Dice::new(dice.roll())));
        }
        Ok(Self { shared, callers })
    }

    /// Rows that were overwritten so far.
    pub(crate) fn written(&self) -> u64 {
        self.shared.written.load(Relaxed)
    }

    /// Overwriting ends; how often it was refused.
    pub(crate) async fn stop(&mut self) -> u64 {
        self.shared.stopped.store(true, Relaxed);
        while self.callers.join_next().await.is_some() {}
        self.shared.refused.load(Relaxed)
    }

    /// How many rows are not there, or not as they were written.
    pub(crate) async fn missing(&self, reader: &Client) -> Result<u64> {
        let map = reader.map(MAP).await?;
        let mut missing = 0;
        for first in (0..self.shared.rows).step_by(BATCH as usize) {
            let keys = first..self.shared.rows.min(first + BATCH);
            let found = map.get_all_raw(keys.clone().map(|key| key as i64)).await?;
            for (key, row) in keys.zip(found) {
                missing += u64::from(row?.is_none_or(|row| *row.bytes() != value(key)));
            }
        }
        Ok(missing)
    }
}

impl Shared {
    /// Every so manieth batch of rows is this loader's.
    async fn fill(self: Arc<Self>, loader: u64) -> Result<()> {
        for first in (loader * BATCH..self.rows).step_by((LOADERS * BATCH) as usize) {
            let mut keys: Vec<u64> = (first..self.rows.min(first + BATCH)).collect();
            let mut tries = 0;
            while !keys.is_empty() {
                let rows = keys.iter().map(|key| (*key as i64, value(*key)));
                let answers = self.map.put_all_raw(rows).await?;
                keys = keys
                    .into_iter()
                    .zip(answers)
                    .filter(|(_, answer)| answer.is_err())
                    .map(|(key, _)| key)
                    .collect();
                tries += 1;
                if tries > TRIES {
                    return Err(Error::unavailable(format!("row {} cannot be loaded", keys[0])));
                }
            }
        }
        Ok(())
    }

    async fn overwrite(self: Arc<Self>, mut dice: Dice) {
        while !self.stopped.load(Relaxed) {
            let key = dice.below(self.rows);
            let count = match self.map.set_raw(key as i64, value(key)).await {
                Ok(_) => &self.written,
                Err(_) => &self.refused,
            };
            count.fetch_add(1, Relaxed);
        }
    }
}

/// What a row holds, for ever.
fn value(key: u64) -> Bytes {
    let mut dice = Dice::new(key);
    let words = (0..VALUE_BYTES / 8).flat_map(|_| dice.roll().to_le_bytes());
    words.collect::<Vec<u8>>().into()
}
