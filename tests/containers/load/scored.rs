//! "An acknowledged write is never lost", and "a score and the row it was computed from commit together or not at all":
//! callers that write scored rows all the time, one for each partition with a key of its own there, so that the slowest
//! partition is the caller that waits longest. Each write brings back the row before it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use embergrid::client::{Client, Map, Put, Row};
use embergrid::types::{Key, Result};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::book::{Book, Judgement, Kind};
use super::feed::Expected;
use super::payments::Payments;
use crate::clock::now;
use crate::keys::a_key_of_each;
use crate::waits::Waits;

/// The map of payments, which exists with its binding.
pub(super) const MAP: &str = "payments";
/// The column that carries the number of the write: no model reads it.
const NUMBER: &str = "card";
/// The column that the binding fills.
const SCORE: &str = "fraud";
/// From an answer to the caller's next write.
const PAUSE: Duration = Duration::from_millis(100);

/// The callers.
pub(super) struct Writers {
    map: Map,
    payments: Payments,
    book: Arc<Book>,
    /// How long they go without an acknowledged write.
    pub(super) waits: Mutex<Waits>,
    ledgers: Vec<Mutex<Ledger>>,
}

/// What a caller knows of its key. The values that it writes rise by one.
struct Ledger {
    key: i64,
    written: u64,
    /// Those that were acknowledged, in order.
    acknowledged: Vec<u64>,
    /// Those that nobody answered for, and that were not seen: each may have taken effect, or may do so later.
    in_doubt: Vec<u64>,
    broken: Vec<Broken>,
    scores: u64,
}

/// What a caller saw that must not be.
enum Broken {
    Lost(String),
    Score(String),
}

impl Writers {
    pub(super) async fn new(
        client: &Client,
        payments: Payments,
        partitions: u16,
        book: Arc<Book>,
    ) -> Result<Self> {
        let keys = a_key_of_each(partitions);
        Ok(Self {
            map: client.map(MAP).await?,
            payments,
            book,
            waits: Mutex::new(Waits::new(keys.len(), now())),
            ledgers: keys.into_iter().map(|key| Mutex::new(Ledger::new(key))).collect(),
        })
    }

    /// What subscribers must have been told.
    pub(super) fn expected(&self) -> Expected {
        let each = |ledger: &Mutex<Ledger>| {
            let ledger = ledger.lock();
            (Key::from(ledger.key), ledger.acknowledged.clone())
        };
        self.ledgers.iter().map(each).collect()
    }

    /// Every key is read once more.
    pub(super) async fn judge(&self, reader: &Client, judgement: &mut Judgement) -> Result<()> {
        let map = reader.map(MAP).await?;
        for (caller, ledger) in self.ledgers.iter().enumerate() {
            let key = ledger.lock().key;
            let found = map.get_raw(key).await?;
            let mut ledger = ledger.lock();
            ledger.check(self.salt(caller), &self.payments, found.as_ref().map(number_and_score));
            ledger.judge(judgement);
        }
        Ok(())
    }

    /// The rows of a caller begin somewhere else than those of another.
    fn salt(&self, caller: usize) -> u64 {
        caller as u64 * 7_919
    }

    async fn write(self: Arc<Self>, caller: usize) {
        // Spread over the pause, so that the writes do not come all at once.
        tokio::time::sleep(PAUSE.mul_f64(caller as f64 / self.ledgers.len() as f64)).await;
        while !self.book.is_stopped() {
            let (key, value) = self.ledgers[caller].lock().next();
            let mut row = self.payments.row(self.salt(caller) + value).clone();
            row.insert(NUMBER.to_owned(), value.to_string().into());
            let row = self.map.pack_json(&row).unwrap();
            let begun = now();
            let answer = self.map.put_raw(key, row).await;
            self.book.note(format_args!("scored write {value} of key {key}"), Kind::Write, &answer);
            self.settle(caller, value, begun, answer);
            self.book.rest(PAUSE).await;
        }
    }

    fn settle(&self, caller: usize, value: u64, begun: Instant, answer: Result<Put>) {
        let mut ledger = self.ledgers[caller].lock();
        let Ok(put) = answer else { return ledger.in_doubt.push(value) };
        self.waits.lock().acknowledge(caller, begun, now());
        let score = put.score(SCORE).and_then(|score| score.as_f32());
        ledger.check_score(self.salt(caller), &self.payments, value, score);
        ledger.check(self.salt(caller), &self.payments, put.old.as_ref().map(number_and_score));
        ledger.acknowledged.push(value);
    }
}

impl Ledger {
    fn new(key: i64) -> Self {
        Self {
            key,
            written: 0,
            acknowledged: Vec::new(),
            in_doubt: Vec::new(),
            broken: Vec::new(),
            scores: 0,
        }
    }

    fn next(&mut self) -> (i64, u64) {
        self.written += 1;
        (self.key, self.written)
    }

    /// Whether the key may hold this: anything else means that an acknowledged write is lost.
    fn check(&mut self, salt: u64, payments: &Payments, found: Option<Found>) {
        let number = found.map_or(0, |(number, _)| number);
        let last = self.acknowledged.last().copied().unwrap_or(0);
        let seen = self.in_doubt.iter().position(|doubt| *doubt == number);
        if number != last && seen.is_none() {
            let Self { key, in_doubt, .. } = self;
            let what = format!("payment {key} holds {number}; {last} is acknowledged, {in_doubt:?} in doubt");
            self.broken.push(Broken::Lost(what));
        }
        // It took effect, and does not do so again.
        if let Some(seen) = seen {
            self.in_doubt.remove(seen);
        }
        if let Some((number, score)) = found {
            self.check_score(salt, payments, number, score);
        }
    }

    /// What it saw, told.
    fn judge(&mut self, judgement: &mut Judgement) {
        judgement.checked_scores += self.scores;
        for broken in self.broken.drain(..) {
            let (count, what) = match broken {
                Broken::Lost(what) => (&mut judgement.lost, what),
                Broken::Score(what) => (&mut judgement.wrong_scores, what),
            };
            *count += 1;
            judgement.find(what);
        }
    }

    fn check_score(&mut self, salt: u64, payments: &Payments, value: u64, score: Option<f32>) {
        self.scores += 1;
        if !payments.is_score_of(salt + value, score) {
            let what = format!("payment {}, write {value}: its score is {score:?}", self.key);
            self.broken.push(Broken::Score(what));
        }
    }
}

/// A row by its number, without or with its score.
type Found = (u64, Option<f32>);

/// Sets all callers to work.
pub(super) fn spawn(writers: &Arc<Writers>, callers: &mut JoinSet<()>) {
    for caller in 0..writers.ledgers.len() {
        callers.spawn(writers.clone().write(caller));
    }
}

/// The number of the write that left the row.
pub(super) fn number(row: &Row) -> u64 {
    number_and_score(row).0
}

fn number_and_score(row: &Row) -> Found {
    let columns = row.columns().unwrap();
    let column = |name| columns.schema().column(name).unwrap();
    let number = columns.value(column(NUMBER));
    (number.as_str().unwrap().parse().unwrap(), columns.f32(column(SCORE)))
}

/// What it says of a key with such a past, that is found like that.
pub(super) fn judged(
    payments: &Payments,
    acknowledged: &[u64],
    in_doubt: &[u64],
    found: Option<Found>,
) -> Judgement {
    let (acknowledged, in_doubt) = (acknowledged.to_vec(), in_doubt.to_vec());
    let mut ledger = Ledger { acknowledged, in_doubt, ..Ledger::new(0) };
    ledger.check(0, payments, found);
    let mut judgement = Judgement::default();
    ledger.judge(&mut judgement);
    judgement
}
