//! Reading committed rows from any thread.

use std::sync::{Arc, atomic::Ordering};

use serde::{Deserialize, Serialize};

use super::{Record, Shared, lease::Lease, table::Table};
use crate::{
    mutant::Mutant,
    types::{Epoch, Error, JoinId, MapId},
};

/// How often a read of several keys is tried beside the writer before it makes the writer wait.
const OPTIMISTIC_ATTEMPTS: usize = 8;

/// Why nothing can be read here now. Never answered as if the map were empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServing {
    /// The lease of this reader's tenure has run out.
    #[error("the partition's lease has run out")]
    NoLease,
    /// The partition has not reached the catalogue version that creates the map, or has passed the one that
    /// drops it.
    #[error("the partition does not have this map at its catalogue version")]
    NoMap,
}

impl From<NotServing> for Error {
    fn from(reason: NotServing) -> Self {
        Error::unavailable(reason.to_string()).hint("retry in a moment")
    }
}

/// Where a scan goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(usize);

/// Reads one replica's committed rows during one tenure. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) lease: Arc<Lease>,
}

impl Reader {
    /// The replica this reads.
    pub fn join(&self) -> JoinId {
        self.lease.join
    }

    /// The epoch in which it may be read.
    pub fn epoch(&self) -> Epoch {
        self.lease.epoch
    }

    /// Reads one row. The value comes first; only then is the clock read and the lease checked, for a lease that
    /// had begun before the read and stands after it stood during it, or nobody else had one.
    pub fn read(
        &self,
        map: MapId,
        key: &[u8],
        now_mono_us: impl FnOnce() -> u64,
    ) -> Result<Option<Record>, NotServing> {
        self.begun()?;
        let found = {
            let tables = self.shared.tables.read();
            let table = tables.get(&map).ok_or(NotServing::NoMap);
            table.map(|table| table.find(self.shared.seed.hash(key), key))
        };
        self.check(now_mono_us())?;
        found
    }

    /// Reads several rows as they were at one moment: the partition's apply sequence is the same before and
    /// after, or the read is repeated, at last with the writer held off.
    pub fn read_many<K: AsRef<[u8]>>(
        &self,
        map: MapId,
        keys: &[K],
        now_mono_us: impl FnOnce() -> u64,
    ) -> Result<Vec<Option<Record>>, NotServing> {
        self.begun()?;
        let table = self.shared.tables.read().get(&map).cloned().ok_or(NotServing::NoMap);
        let found = table.map(|table| {
            let beside = (0..OPTIMISTIC_ATTEMPTS).find_map(|_| self.read_undisturbed(&table, keys));
            beside.unwrap_or_else(|| self.read_alone(&table, keys))
        });
        self.check(now_mono_us())?;
        found
    }

    /// One shard of a map: the handles are copied under the lock, which is released before this returns. Scans
    /// begin at `Cursor::default()` and end when no cursor comes back. Rows written meanwhile may be missing or
    /// present; each row is whole. They count if [`Reader::begun`] is asked before and [`Reader::check`] after.
    pub fn scan(&self, map: MapId, from: Cursor) -> Result<(Vec<Record>, Option<Cursor>), NotServing> {
        let tables = self.shared.tables.read();
        let table = tables.get(&map).ok_or(NotServing::NoMap)?.clone();
        drop(tables);
        let records = table.shard(from.0).unwrap_or_default();
        let next = Cursor(from.0 + 1);
        Ok((records, table.has_shard(next.0).then_some(next)))
    }

    /// Where a scan of the map comes by the key, if it is there.
    pub fn cursor_of(&self, map: MapId, key: &[u8]) -> Option<Cursor> {
        let tables = self.shared.tables.read();
        tables.get(&map).map(|table| Cursor(table.shard_of(self.shared.seed.hash(key))))
    }

    /// How many rows the map has in this partition.
    pub fn len(&self, map: MapId) -> Result<usize, NotServing> {
        let tables = self.shared.tables.read();
        tables.get(&map).map(|table| table.len()).ok_or(NotServing::NoMap)
    }

    /// Whether this tenure has had a lease yet: to be asked before anything is read. A new primary has it only when all
    /// is committed that it brought along; until then its rows may be older than what was read elsewhere.
    pub fn begun(&self) -> Result<(), NotServing> {
        if self.lease.has_begun() || Mutant::ReadsBeforeLease.is_on() {
            Ok(())
        } else {
            Err(NotServing::NoLease)
        }
    }

    /// Whether the lease stands at `mono_us`; to be asked after what it vouches for was read.
    pub fn check(&self, mono_us: u64) -> Result<(), NotServing> {
        let is_enough = Mutant::ChecksLeaseBefore.is_on() && self.lease.has_begun();
        if self.lease.covers(mono_us) || is_enough { Ok(()) } else { Err(NotServing::NoLease) }
    }

    /// None if an entry was applied meanwhile.
    fn read_undisturbed<K: AsRef<[u8]>>(&self, table: &Table, keys: &[K]) -> Option<Vec<Option<Record>>> {
        let before = self.shared.applied.load(Ordering::Acquire);
        if before % 2 == 1 {
            std::hint::spin_loop();
            return None;
        }
        let found =
            keys.iter().map(AsRef::as_ref).map(|key| table.find(self.shared.seed.hash(key), key)).collect();
        (self.shared.applied.load(Ordering::Acquire) == before).then_some(found)
    }

    /// With every shard locked, the writer cannot begin an entry's first change; it may be between two, and is
    /// then let go on.
    fn read_alone<K: AsRef<[u8]>>(&self, table: &Table, keys: &[K]) -> Vec<Option<Record>> {
        loop {
            let locked = table.lock();
            if self.shared.applied.load(Ordering::Acquire).is_multiple_of(2) {
                let keys = keys.iter().map(AsRef::as_ref);
                return keys.map(|key| locked.find(self.shared.seed.hash(key), key)).collect();
            }
            drop(locked);
            std::hint::spin_loop();
        }
    }
}
