//! "Operations on one key are linearizable (reads, writes, compare-and-set)": a few keys that everybody reads, writes and
//! removes, under conditions and without. The simulator's search looks for an order of what was asked and answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use embergrid::client::{Client, Map, Put, Row};
use embergrid::partition::{Op, Origin, Outcome, PutMode, Request};
use embergrid::store::{Parts, Record};
use embergrid::types::RequestId;
use embergrid::types::{Key, Result, RowVersion, SessionId};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;

use super::book::{Book, Judgement, Kind};
use crate::dice::Dice;
use crate::linear::History;

pub(super) const MAP: &str = "registers";
const SCHEMA: &str = r#"
format = 1
map = "registers"
kind = "feature"
key = { name = "id", type = "i64" }
columns = [{ name = "value", type = "i64" }]
"#;
pub(super) const SLOTS: u64 = 16;
/// After so many operations on one key the next one takes its place: the search for an order has its limits.
const OPS_A_KEY: u64 = 60;
const CALLERS: usize = 12;
const PAUSE: Duration = Duration::from_millis(10);
/// Versions that a caller remembers, for conditions.
const REMEMBERED: usize = 6;

pub(super) struct Registers {
    map: Map,
    pub(super) book: Arc<Book>,
    pub(super) histories: Mutex<Histories>,
}

/// What was asked and answered, a history a key.
#[derive(Default)]
pub(super) struct Histories {
    by_key: BTreeMap<i64, History>,
    /// By slot: how many operations there were.
    used: BTreeMap<u64, u64>,
    requests: u64,
}

impl Registers {
    pub(super) async fn new(client: &Client, book: Arc<Book>) -> Result<Self> {
        client.create_map(MAP, Some(SCHEMA)).await?;
        Ok(Self { map: client.map(MAP).await?, book, histories: Mutex::default() })
    }

    /// There is an order for every key.
    pub(super) fn judge(&self, judgement: &mut Judgement) {
        self.histories.lock().judge(judgement);
    }

    async fn work(self: Arc<Self>, mut dice: Dice) {
        let mut seen = vec![RowVersion(1)];
        while !self.book.is_stopped() {
            let key = self.histories.lock().next_key(dice.below(SLOTS));
            match dice.percent(35) {
                true => self.read(key, &mut seen).await,
                false => self.write(key, &mut dice, &mut seen).await,
            }
            if seen.len() > REMEMBERED {
                seen.remove(0);
            }
            self.book.rest(PAUSE).await;
        }
    }

    async fn read(&self, key: i64, seen: &mut Vec<RowVersion>) {
        let asked_us = self.book.now_us();
        let answer = self.map.get_raw(key).await;
        if self.book.note(format_args!("a read of register {key}"), Kind::Read, &answer)
            && let Ok(row) = answer
        {
            let version = row.map(|row| row.version);
            seen.extend(version);
            self.histories.lock().read(key, version, (asked_us, self.book.now_us()));
        }
    }

    async fn write(&self, key: i64, dice: &mut Dice, seen: &mut Vec<RowVersion>) {
        let (op, version) = (dice.below(10), dice.one_of(seen));
        let row = json!({"value": dice.below(1_000)});
        let (op, kind) = match op {
            0 => (Op::Remove { expected: None, want_old: true }, Kind::Write),
            1 => (Op::Remove { expected: Some(version), want_old: false }, Kind::Conditional),
            2..=4 => (put(PutMode::IfVersion(version)), Kind::Conditional),
            5 => (put(PutMode::IfAbsent), Kind::Write),
            6 => (put(PutMode::IfPresent), Kind::Write),
            _ => (put(PutMode::Always), Kind::Write),
        };
        let id = self.histories.lock().asked(key, op.clone(), self.book.now_us());
        let answer = match op {
            Op::Remove { expected: None, .. } => self.map.remove(key).await.map(removed),
            Op::Remove { expected: Some(version), .. } => self
                .map
                .remove_if(key, version)
                .await
                .map(|applied| Outcome { applied, ..Outcome::default() }),
            Op::Put { mode: PutMode::IfVersion(version), .. } => {
                self.map.replace_if(key, version, &row).await.map(|put| written(&put))
            }
            Op::Put { mode: PutMode::IfAbsent, .. } => {
                self.map.put_if_absent(key, &row).await.map(|put| written(&put))
            }
            Op::Put { mode: PutMode::IfPresent, .. } => {
                self.map.replace(key, &row).await.map(|put| written(&put))
            }
            _ => self.map.put(key, &row).await.map(|put| written(&put)),
        };
        if self.book.note(format_args!("a write of register {key}"), kind, &answer) {
            seen.extend(answer.as_ref().ok().and_then(|outcome| outcome.version));
            self.histories.lock().answered(key, id, &answer, self.book.now_us());
        }
    }
}

impl Histories {
    /// The present key of a slot, which is used once more.
    pub(super) fn next_key(&mut self, slot: u64) -> i64 {
        let used = self.used.entry(slot).or_default();
        *used += 1;
        (slot * 1_000_000 + *used / OPS_A_KEY) as i64
    }

    pub(super) fn judge(&self, judgement: &mut Judgement) {
        for history in self.by_key.values() {
            judgement.ordered_keys += 1;
            if let Err(told) = history.check(|_| true) {
                judgement.stale += 1;
                judgement.find(told);
            }
        }
    }

    /// A write is asked for.
    pub(super) fn asked(&mut self, key: i64, op: Op, now_us: u64) -> RequestId {
        self.requests += 1;
        let id = RequestId { session: SessionId(1), number: self.requests };
        let request = Request {
            origin: Origin::default(),
            id: Some(id),
            acknowledged_below: 0,
            map: Default::default(),
            key: Key::from(key),
            op,
            deadline_us: None,
        };
        self.by_key.entry(key).or_default().asked(&request, now_us);
        id
    }

    /// What is known of it now.
    pub(super) fn answered(&mut self, key: i64, id: RequestId, answer: &Result<Outcome>, now_us: u64) {
        self.by_key.entry(key).or_default().answered(id, answer, now_us);
    }

    /// A read that was asked for and answered within that time, and the version that it found.
    pub(super) fn read(&mut self, key: i64, version: Option<RowVersion>, within_us: (u64, u64)) {
        let found = version.map(record);
        let packed = Key::from(key);
        let history = self.by_key.entry(key).or_default();
        history.read(Default::default(), packed.packed(), found.as_ref(), within_us);
    }
}

pub(super) fn put(mode: PutMode) -> Op {
    Op::Put { value: Default::default(), mode, want_old: true, ttl: None }
}

fn removed(old: Option<Row>) -> Outcome {
    Outcome { applied: old.is_some(), old: old.map(|old| record(old.version)), ..Outcome::default() }
}

fn written(put: &Put) -> Outcome {
    Outcome {
        applied: put.applied,
        version: Some(put.version).filter(|version| version.0 > 0),
        old: put.old.as_ref().map(|old| record(old.version)),
        record: None,
    }
}

/// A row of which the version alone matters.
fn record(row_version: RowVersion) -> Record {
    Record::new(&Parts {
        key: &[],
        value: &[],
        row_version,
        expires_at: None,
        unscored: false,
        lineage: Default::default(),
    })
}

/// Sets all callers to work.
pub(super) fn spawn(registers: &Arc<Registers>, dice: &mut Dice, callers: &mut JoinSet<()>) {
    (0..CALLERS).for_each(|_| drop(callers.spawn(registers.clone().work(Dice::new(dice.roll())))));
}
