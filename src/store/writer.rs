//! Applying committed entries: the one handle that changes rows.

use std::sync::{Arc, atomic::Ordering};

use super::{Glance, KeyHash, Reader, Record, Shared, Tables, lease::Lease, table::Table};
use crate::types::{Epoch, JoinId, MapId};

/// The one handle that changes a replica's rows; the partition's core owns it.
pub struct Writer {
    shared: Arc<Shared>,
    /// What the readers find behind a lock: nobody else changes it.
    tables: Tables,
    applied: u64,
    lease: Arc<Lease>,
}

impl Writer {
    /// An empty store for a replica that starts its first tenure, with no lease yet. The seed decides the order
    /// of scans and nothing else.
    pub fn new(join: JoinId, epoch: Epoch, seed: u64) -> Self {
        Writer {
            shared: Arc::new(Shared::new(seed)),
            tables: Tables::new(),
            applied: 0,
            lease: Arc::new(Lease::new(join, epoch)),
        }
    }

    /// A reader of the present tenure.
    pub fn reader(&self) -> Reader {
        Reader { shared: self.shared.clone(), lease: self.lease.clone() }
    }

    /// Lets readers of this tenure read until `mono_us`; zero stops them at once.
    pub fn lease(&mut self, until_us: u64) {
        self.lease.set(until_us);
    }

    /// Whether readers of this tenure may read at `mono_us`.
    pub fn leased(&self, mono_us: u64) -> bool {
        self.lease.covers(mono_us)
    }

    /// Begins a new tenure: the lease of the one before ends for ever, and its readers with it.
    pub fn begin_tenure(&mut self, epoch: Epoch) {
        self.lease.set(0);
        self.lease = Arc::new(Lease::new(self.lease.join, epoch));
    }

    /// The key's hash, for the calls that follow.
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        self.shared.seed.hash(key)
    }

    /// The committed row under `key`.
    pub fn find(&self, map: MapId, hash: KeyHash, key: &[u8]) -> Option<Record> {
        self.tables.get(&map)?.find(hash, key)
    }

    /// Where a row is that is about to be written; see [`super::warm`].
    pub fn glance(&self, map: MapId, hash: KeyHash) -> Option<Glance<'_>> {
        self.tables.get(&map)?.glance(hash)
    }

    /// How many rows the map has.
    pub fn len(&self, map: MapId) -> usize {
        self.tables.get(&map).map_or(0, |table| table.len())
    }

    /// The maps that the store holds, by id.
    pub fn maps(&self) -> impl Iterator<Item = MapId> + '_ {
        self.tables.keys().copied()
    }

    /// Looks at every row, one shard's handles at a time.
    pub fn for_each(&self, mut look: impl FnMut(MapId, &Record)) {
        for (map, table) in &self.tables {
            table.for_each(|record| look(*map, record));
        }
    }

    /// The handles of one shard of a map, counted from 0; none past the last shard, or where the map is not held.
    pub fn shard(&self, map: MapId, index: usize) -> Option<Vec<Record>> {
        self.tables.get(&map)?.shard(index)
    }

    /// A sum over all rows: equal on replicas that hold the same. It is kept up to date row by row.
    pub fn checksum(&self) -> u64 {
        self.tables.values().fold(0, |sum, table| sum.wrapping_add(table.checksum()))
    }

    /// Forgets every map and row.
    pub fn clear(&mut self) {
        self.keep_maps([]);
    }

    /// Begins to apply one entry; it is done when the returned value is dropped.
    pub fn apply(&mut self) -> Apply<'_> {
        // Whoever sees a change has locked its shard after it was made, and so sees that this is odd, or later.
        self.applied += 1;
        self.shared.applied.store(self.applied, Ordering::Release);
        Apply { writer: self }
    }

    /// Makes the store hold exactly these maps: new ones empty, others dropped with their rows.
    pub fn keep_maps(&mut self, maps: impl IntoIterator<Item = MapId>) {
        let seed = self.shared.seed;
        let table = |map| self.tables.get(&map).cloned().unwrap_or_else(|| Arc::new(Table::new(seed, map)));
        self.tables = maps.into_iter().map(|map| (map, table(map))).collect();
        *self.shared.tables.write() = self.tables.clone();
    }
}

/// One entry being applied. Readers of several keys see all of its changes or none.
pub struct Apply<'a> {
    writer: &'a mut Writer,
}

impl Apply<'_> {
    /// Stores the record in its key's place. Nothing happens where the map was dropped.
    pub fn put(&mut self, map: MapId, hash: KeyHash, record: Record) {
        if let Some(table) = self.writer.tables.get(&map) {
            table.insert(hash, record);
        }
    }

    /// Removes the row under `key`.
    pub fn remove(&mut self, map: MapId, hash: KeyHash, key: &[u8]) {
        if let Some(table) = self.writer.tables.get(&map) {
            table.remove(hash, key);
        }
    }

    /// The row under `key`.
    pub fn find(&self, map: MapId, hash: KeyHash, key: &[u8]) -> Option<Record> {
        self.writer.find(map, hash, key)
    }

    /// The key's hash.
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        self.writer.hash(key)
    }
}

impl Drop for Apply<'_> {
    fn drop(&mut self) {
        self.writer.applied += 1;
        self.writer.shared.applied.store(self.writer.applied, Ordering::Release);
    }
}
