//! One map's rows within one partition.
//!
//! A `DashMap` of record handles, used through its shards: a slot is eight bytes, because the key is found inside
//! the record and not stored twice. The hasher has a seed, so that a simulation replays.

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::{DashMap, RwLockReadGuard, SharedValue};
use hashbrown::raw::RawTable;
use smallvec::SmallVec;
use xxhash_rust::xxh3::{Xxh3Builder, xxh3_64_with_seed};

use super::{Glance, Record};
use crate::types::MapId;

/// Few, because there is a table for every map and partition and its shards cost memory when empty.
const SHARDS: usize = 4;

/// What `DashMap` keeps behind one lock.
pub(super) type Shard = RawTable<(Record, SharedValue<()>)>;
/// A shard that nobody writes to meanwhile.
pub(super) type ShardGuard<'a> = RwLockReadGuard<'a, Shard>;

/// The seed of a partition's tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(pub(super) u64);

/// The hash of a packed key under the partition's seed: computed once an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub(super) u64);

impl KeyHash {
    /// The hash as a number.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl Seed {
    pub(super) fn hash(self, key: &[u8]) -> KeyHash {
        KeyHash(xxh3_64_with_seed(key, self.0))
    }
}

pub(super) struct Table {
    seed: Seed,
    map: MapId,
    /// The sum of the records' digests; it is changed by the writer alone.
    checksum: AtomicU64,
    records: DashMap<Record, (), Xxh3Builder>,
}

impl Table {
    pub(super) fn new(seed: Seed, map: MapId) -> Self {
        let hasher = Xxh3Builder::new().with_seed(seed.0);
        let records = DashMap::with_hasher_and_shard_amount(hasher, SHARDS);
        Table { seed, map, checksum: AtomicU64::new(0), records }
    }

    /// The sum of the records' digests.
    pub(super) fn checksum(&self) -> u64 {
        self.checksum.load(Ordering::Relaxed)
    }

    fn digest(&self, record: &Record) -> u64 {
        record.digest(u64::from(self.map.0))
    }

    /// Records came and went.
    fn note(&self, came: u64, went: u64) {
        let sum = self.checksum().wrapping_add(came).wrapping_sub(went);
        self.checksum.store(sum, Ordering::Relaxed);
    }

    pub(super) fn find(&self, hash: KeyHash, key: &[u8]) -> Option<Record> {
        find(&self.records.shards()[self.shard_of(hash)].read(), hash, key)
    }

    /// Puts the record in its key's place and returns the one that was there.
    pub(super) fn insert(&self, hash: KeyHash, record: Record) -> Option<Record> {
        let came = self.digest(&record);
        let old = self.replace(hash, record);
        self.note(came, old.as_ref().map_or(0, |old| self.digest(old)));
        old
    }

    fn replace(&self, hash: KeyHash, record: Record) -> Option<Record> {
        let mut shard = self.records.shards()[self.shard_of(hash)].write();
        match shard.get_mut(hash.0, |(stored, _)| stored.key() == record.key()) {
            Some((stored, _)) => Some(std::mem::replace(stored, record)),
            None => {
                let seed = self.seed;
                shard.insert(hash.0, (record, SharedValue::new(())), |(stored, _)| seed.hash(stored.key()).0);
                None
            }
        }
    }

    pub(super) fn remove(&self, hash: KeyHash, key: &[u8]) -> Option<Record> {
        let mut shard = self.records.shards()[self.shard_of(hash)].write();
        let (record, _) = shard.remove_entry(hash.0, |(stored, _)| stored.key() == key)?;
        drop(shard);
        self.note(0, self.digest(&record));
        Some(record)
    }

    /// The key's place, unless somebody writes near it.
    pub(super) fn glance(&self, hash: KeyHash) -> Option<Glance<'_>> {
        Some(Glance::new(self.records.shards()[self.shard_of(hash)].try_read()?, hash))
    }

    /// Locks all shards for reading.
    pub(super) fn lock(&self) -> Locked<'_> {
        Locked { table: self, shards: self.records.shards().iter().map(|shard| shard.read()).collect() }
    }

    /// The handles of one shard, copied under its lock; none past the last shard.
    pub(super) fn shard(&self, index: usize) -> Option<Vec<Record>> {
        let copy = self.records.shards().get(index)?.read().clone();
        Some(copy.into_iter().map(|(record, _)| record).collect())
    }

    /// Looks at every record, one shard's handles at a time.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Record)) {
        for index in 0..self.records.shards().len() {
            self.shard(index).into_iter().flatten().for_each(|record| look(&record));
        }
    }

    pub(super) fn has_shard(&self, index: usize) -> bool {
        index < self.records.shards().len()
    }

    pub(super) fn len(&self) -> usize {
        self.records.shards().iter().map(|shard| shard.read().len()).sum()
    }

    pub(super) fn shard_of(&self, hash: KeyHash) -> usize {
        self.records.determine_shard(hash.0 as usize)
    }
}

/// A table that nobody writes to meanwhile.
pub(super) struct Locked<'a> {
    table: &'a Table,
    shards: SmallVec<[ShardGuard<'a>; SHARDS]>,
}

impl Locked<'_> {
    pub(super) fn find(&self, hash: KeyHash, key: &[u8]) -> Option<Record> {
        find(&self.shards[self.table.shard_of(hash)], hash, key)
    }
}

fn find(shard: &Shard, hash: KeyHash, key: &[u8]) -> Option<Record> {
    shard.get(hash.0, |(record, _)| record.key() == key).map(|(record, _)| record.clone())
}
