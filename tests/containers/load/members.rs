//! "An acknowledged write is never lost": a set to which every key is added once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use embergrid::client::{Client, Map};
use embergrid::types::{Key, Result};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::book::{Book, Judgement, Kind};
use super::feed::Expected;

/// The map: a plain one.
pub(super) const MAP: &str = "members";
const CALLERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);
/// Keys that are read together in the end.
const BATCH: usize = 500;

pub(super) struct Members {
    map: Map,
    book: Arc<Book>,
    next: AtomicI64,
    added: Mutex<BTreeSet<i64>>,
}

impl Members {
    pub(super) async fn new(client: &Client, book: Arc<Book>) -> Result<Self> {
        client.create_map(MAP, None).await?;
        let map = client.map(MAP).await?;
        Ok(Self { map, book, next: AtomicI64::new(1), added: Mutex::new(BTreeSet::new()) })
    }

    /// What subscribers must have been told: each key once.
    pub(super) fn expected(&self) -> Expected {
        self.added.lock().iter().map(|key| (Key::from(*key), vec![1])).collect()
    }

    /// All are there.
    pub(super) async fn judge(&self, reader: &Client, judgement: &mut Judgement) -> Result<()> {
        let map = reader.map(MAP).await?;
        let added: Vec<i64> = self.added.lock().iter().copied().collect();
        for keys in added.chunks(BATCH) {
            let rows = map.get_all_raw(keys.iter().copied()).await?;
            for (key, row) in keys.iter().zip(rows) {
                if row?.is_none() {
                    judgement.lost += 1;
                    judgement.find(format!("the member {key} was acknowledged, and is lost"));
                }
            }
        }
        Ok(())
    }

    async fn add(self: Arc<Self>) {
        while !self.book.is_stopped() {
            let key = self.next.fetch_add(1, Relaxed);
            let answer = self.map.set_raw(key, Bytes::from_static(b"here")).await;
            if self.book.note(format_args!("member {key}"), Kind::Write, &answer) {
                self.added.lock().insert(key);
            }
            self.book.rest(PAUSE).await;
        }
    }
}

/// Sets all callers to work.
pub(super) fn spawn(members: &Arc<Members>, callers: &mut JoinSet<()>) {
    (0..CALLERS).for_each(|_| drop(callers.spawn(members.clone().add())));
}
