//! Applying committed entries: the one handle that changes rows.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use parking_lot::RwLockReadGuard;

use super::{KeyHash, Reader, Record, Shared, lease::Lease, table::Table};
use crate::types::{Epoch, JoinId, MapId};

/// The one handle that changes a replica's rows; the partition's core owns it.
pub struct Writer {
    shared: Arc<Shared>,
    lease: Arc<Lease>,
}

impl Writer {
    /// An empty store for a replica that starts its first tenure, with no lease yet. The seed decides the order
    /// of scans and nothing else.
    pub fn new(join: JoinId, epoch: Epoch, seed: u64) -> Self {
        Writer { shared: Arc::new(Shared::new(seed)), lease: Arc::new(Lease::new(join, epoch)) }
    }

    /// A reader of the present tenure.
    pub fn reader(&self) -> Reader {
        Reader { shared: self.shared.clone(), lease: self.lease.clone() }
    }

    /// Lets readers of this tenure read until `mono_us`; zero stops them at once.
    pub fn lease(&mut self, until_us: u64) {
        self.lease.set(until_us);
    }

    /// Until when readers of this tenure may read.
    pub fn leased(&self, mono_us: u64) -> bool {
        self.lease.covers(mono_us)
    }

    /// The key's hash, for the calls that follow.
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        self.shared.seed.hash(key)
    }

    /// The committed row under `key`.
    pub fn find(&self, map: MapId, hash: KeyHash, key: &[u8]) -> Option<Record> {
        self.shared.tables.read().get(&map)?.find(hash, key)
    }

    /// How many rows the map has.
    pub fn len(&self, map: MapId) -> usize {
        self.shared.tables.read().get(&map).map_or(0, |table| table.len())
    }

    /// Begins to apply one entry; it is done when the returned value is dropped.
    pub fn apply(&mut self) -> Apply<'_> {
        Apply::new(&self.shared)
    }

    /// Makes the store hold exactly these maps: new ones empty, others dropped with their rows.
    pub fn keep_maps(&mut self, maps: impl IntoIterator<Item = MapId>) {
        let mut tables = self.shared.tables.write();
        let mut kept = HashMap::default();
        for map in maps {
            let table = tables.remove(&map);
            kept.insert(map, table.unwrap_or_else(|| Arc::new(Table::new(self.shared.seed))));
        }
        *tables = kept;
    }
}

/// One entry being applied. Readers of several keys see all of its changes or none.
pub struct Apply<'a> {
    shared: &'a Shared,
    tables: RwLockReadGuard<'a, super::Tables>,
}

impl<'a> Apply<'a> {
    fn new(shared: &'a Shared) -> Self {
        // Odd while an entry is half applied. There is one writer, so nobody else adds to it.
        let tables = shared.tables.read();
        shared.applied.fetch_add(1, Ordering::AcqRel);
        Apply { shared, tables }
    }

    /// Stores the record in its key's place. Nothing happens where the map was dropped.
    pub fn put(&mut self, map: MapId, record: Record) {
        if let Some(table) = self.tables.get(&map) {
            table.insert(self.shared.seed.hash(record.key()), record);
        }
    }

    /// Removes the row under `key`.
    pub fn remove(&mut self, map: MapId, key: &[u8]) {
        if let Some(table) = self.tables.get(&map) {
            table.remove(self.shared.seed.hash(key), key);
        }
    }
}

impl Drop for Apply<'_> {
    fn drop(&mut self) {
        self.shared.applied.fetch_add(1, Ordering::AcqRel);
    }
}
