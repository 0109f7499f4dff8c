//! What must hold, each promise in a file of its own. They see what leaves the replicas and what reaches the clients, and
//! nothing of how it is done.

pub(crate) mod acknowledged;
pub(crate) mod balance;
pub(crate) mod copies;
mod cutover;
pub(crate) mod debts;
mod effects;
pub(crate) mod errors;
pub(crate) mod expiry;
pub(crate) mod feeds;
pub(crate) mod heirs;
mod history;
pub(crate) mod leases;
pub(crate) mod lists;
pub(crate) mod losses;
pub(crate) mod moves;
pub(crate) mod once;
pub(crate) mod reads;
pub(crate) mod replicas;
mod scores;
pub(crate) mod silence;
pub(crate) mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::partition::{Entry, Request, View};
use embergrid::topology::partition_of;
use embergrid::types::{CatalogueVersion, Key, PartitionId, RequestId};

pub(crate) use history::{History, Timeline};

use crate::linear;

pub(crate) type Verdict = Result<(), String>;

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// All oracles of a run.
pub(crate) struct Oracles {
    partitions: Vec<History>,
    requests: BTreeMap<RequestId, Request>,
    views: BTreeMap<CatalogueVersion, Arc<View>>,
    pub(crate) linear: linear::History,
    pub(crate) once: once::Sums,
    pub(crate) tallies: once::Sums,
    pub(crate) acknowledged: acknowledged::Members,
    pub(crate) lists: lists::Lists,
    pub(crate) turns: Turns,
}

impl Oracles {
    pub(crate) fn new(partitions: u16) -> Self {
        Oracles {
            partitions: (0..partitions).map(|_| History::default()).collect(),
            requests: BTreeMap::new(),
            views: BTreeMap::new(),
            linear: linear::History::default(),
            once: once::Sums::default(),
            tallies: once::Sums::default(),
            acknowledged: acknowledged::Members::default(),
            lists: lists::Lists::default(),
            turns: Turns::default(),
        }
    }

    pub(crate) fn of(&self, partition: PartitionId) -> &History {
        &self.partitions[usize::from(partition.0)]
    }

    pub(crate) fn partition_of(&self, key: &Key) -> PartitionId {
        partition_of(key, self.partitions.len() as u16)
    }

    /// A catalogue as it was compiled for the partitions.
    pub(crate) fn compiled(&mut self, view: &Arc<View>) {
        self.views.insert(view.version, view.clone());
    }

    pub(crate) fn asked(&mut self, request: &Request) {
        if let Some(id) = request.id {
            self.requests.insert(id, request.clone());
        }
    }

    /// A replica has committed an entry.
    pub(crate) fn published(&mut self, partition: PartitionId, entry: &Arc<Entry>) -> Verdict {
        let Oracles { partitions, requests, views, .. } = self;
        let said = partitions[usize::from(partition.0)].published(entry, requests, views);
        said.map_err(|broken| format!("partition {partition}: {broken}"))
    }

    /// Whether nothing was waived of the partition that holds the key.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        !self.of(self.partition_of(key)).is_waived()
    }

    /// Every key whose partition was never lost is linearizable.
    pub(crate) fn check_order(&self) -> Verdict {
        self.linear.check(|key| Key::from_packed(key).is_ok_and(|key| self.holds(&key)))
    }
}

/// Keys that are used for a while, and then give way to the next.
#[derive(Default)]
pub(crate) struct Turns(BTreeMap<u64, u64>);

impl Turns {
    /// The present key of a slot, which is used once more.
    pub(crate) fn key(&mut self, slot: u64, ops: u64) -> i64 {
        let used = self.0.entry(slot).or_default();
        *used += 1;
        (slot * 1_000_000 + *used / ops) as i64
    }
}
