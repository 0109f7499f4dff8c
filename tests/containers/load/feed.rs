//! "A subscription sees every committed change of a partition once, in order, across failover and reconnect", while "its token
//! is within retention; else an explicit overrun, then a fresh snapshot": what was acknowledged was told, and of no key the
//! same version twice, or an earlier one.

use std::collections::{BTreeMap, HashSet};

use embergrid::client::EventKind;
use embergrid::types::{Key, RowVersion};

use super::book::Judgement;

/// By key: the numbers of the acknowledged writes, in order.
pub(super) type Expected = BTreeMap<Key, Vec<u64>>;

/// What one subscriber was told.
#[derive(Default)]
pub(super) struct Feed {
    keys: BTreeMap<Key, Told>,
    events: u64,
    overruns: u64,
    /// Told twice or out of order, in words.
    twice: Vec<String>,
}

#[derive(Default)]
struct Told {
    version: RowVersion,
    numbers: HashSet<u64>,
    /// A snapshot left out whatever came before this.
    since: u64,
}

impl Feed {
    /// Changes were lost in an orderly manner: a snapshot follows.
    pub(super) fn overrun(&mut self) {
        self.overruns += 1;
        self.keys.values_mut().for_each(|told| told.version = RowVersion::default());
    }

    /// A row is as told, by the write of that number.
    pub(super) fn take(&mut self, kind: EventKind, key: Key, version: RowVersion, number: u64) {
        self.events += 1;
        let told = self.keys.entry(key.clone()).or_default();
        if version <= told.version {
            self.twice
                .push(format!("{key:?}: {kind:?} of version {version}, after version {}", told.version));
        }
        told.version = version;
        told.numbers.insert(number);
        if kind == EventKind::Snapshot {
            told.since = number;
        }
    }

    /// An event that cannot be: nobody removes anything.
    pub(super) fn untold(&mut self, what: String) {
        self.twice.push(what);
    }

    /// Whether nothing is to come that was acknowledged.
    pub(super) fn has_all(&self, expected: &Expected) -> bool {
        expected.iter().all(|(key, numbers)| {
            let told = self.keys.get(key);
            numbers.last().is_none_or(|last| told.is_some_and(|told| told.has(*last)))
        })
    }

    pub(super) fn judge(&self, expected: &Expected, judgement: &mut Judgement) {
        judgement.feed_events += self.events;
        judgement.feed_overruns += self.overruns;
        judgement.feed_twice += self.twice.len() as u64;
        self.twice.iter().for_each(|what| judgement.find(format!("a subscriber was told of {what}")));
        let none = Told::default();
        for (key, numbers) in expected {
            let told = self.keys.get(key).unwrap_or(&none);
            let missed: Vec<u64> = numbers.iter().copied().filter(|number| !told.has(*number)).collect();
            if !missed.is_empty() {
                judgement.feed_gaps += missed.len() as u64;
                judgement.find(format!("a subscriber was not told of the writes {missed:?} of {key:?}"));
            }
        }
    }
}

impl Told {
    fn has(&self, number: u64) -> bool {
        self.numbers.contains(&number) || number < self.since
    }
}
