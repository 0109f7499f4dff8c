//! Bringing rows near the processor before they are needed.
//!
//! To find a row is to wait for memory several times over: for its place in the table, for its handle, for its bytes. A
//! processor waits for many places at once, if it comes by them early enough; but between two operations there are
//! atomic counts and locks, which it does not look past. So whoever has many operations before it first has a glance at
//! all their rows: locks for all of them, then places, then bytes.

use std::hint::black_box;

use smallvec::SmallVec;

use super::{
    KeyHash, Reader, Record,
    table::{Shard, ShardGuard},
};
use crate::types::MapId;

/// How many rows it is worth to look at together: a processor has no more reads under way.
pub const GLANCES: usize = 16;

/// A place in a table, held still. To be dropped before anything is written.
pub struct Glance<'a> {
    shard: ShardGuard<'a>,
    hash: KeyHash,
}

impl<'a> Glance<'a> {
    pub(super) fn new(shard: ShardGuard<'a>, hash: KeyHash) -> Self {
        Glance { shard, hash }
    }

    /// The row that is there, in all likelihood: it was not looked at.
    pub fn row(&self) -> Option<&Record> {
        let shard: &Shard = &self.shard;
        shard.get(self.hash.0, |_| true).map(|(record, _)| record)
    }
}

/// Has a glance at rows that are about to be read. What is locked by others is passed over: nothing depends on this but
/// time.
pub fn warm(rows: &[(&Reader, MapId, &[u8])]) {
    for rows in rows.chunks(GLANCES) {
        // Two rows may be of one partition.
        let tables: SmallVec<[_; GLANCES]> =
            rows.iter().map(|(reader, ..)| reader.shared.tables.try_read_recursive()).collect();
        let glances: SmallVec<[Glance<'_>; GLANCES]> = rows
            .iter()
            .zip(&tables)
            .filter_map(|((reader, map, key), tables)| {
                tables.as_ref()?.get(map)?.glance(reader.shared.seed.hash(key))
            })
            .collect();
        let records: SmallVec<[&Record; GLANCES]> = glances.iter().filter_map(Glance::row).collect();
        black_box(records.iter().map(|record| record.touch()).sum::<usize>());
    }
}
