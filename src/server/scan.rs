//! The rows of one partition, shard by shard.

use std::vec;

use serde::{Deserialize, Serialize};

use crate::{
    node::{Grid, Primaries},
    store::{Cursor, Record},
    types::{Error, JoinId, Key, MapId, PartitionId, Result},
};

/// Where a scan that was broken off goes on: behind a row, in the order of keys within one shard. The order holds
/// whatever is written meanwhile, so that no row is given twice and none is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    replica: JoinId,
    shard: Cursor,
    after: Key,
}

/// A scan of one partition. Another replica cuts its rows into shards in its own way: a scan cannot go on there.
#[derive(Debug)]
pub(super) struct Scan {
    partition: PartitionId,
    replica: Option<JoinId>,
    /// The shard whose rows are at hand.
    shard: Cursor,
    /// The shard after it.
    next: Option<Cursor>,
    /// What is left of it.
    records: vec::IntoIter<Record>,
}

impl Scan {
    /// From the first row on.
    pub(super) fn begin(partition: PartitionId) -> Self {
        Scan {
            partition,
            replica: None,
            shard: Cursor::default(),
            next: Some(Cursor::default()),
            records: Vec::new().into_iter(),
        }
    }

    /// From a mark on.
    pub(super) fn resume(grid: &Grid, map: MapId, partition: PartitionId, mark: &Mark) -> Result<Self> {
        let mut scan = Scan::begin(partition);
        (scan.replica, scan.next) = (Some(mark.replica), Some(mark.shard));
        scan.next_shard(grid, map)?;
        let mut left: Vec<Record> = scan.records.collect();
        left.retain(|record| record.key() > mark.after.packed());
        scan.records = left.into_iter();
        scan.sort();
        Ok(scan)
    }

    /// What is left of the rows at hand.
    pub(super) fn records(&mut self) -> &mut vec::IntoIter<Record> {
        &mut self.records
    }

    /// Comes by the rows of the next shard, if there is one.
    pub(super) fn next_shard(&mut self, grid: &Grid, map: MapId) -> Result<bool> {
        let Some(from) = self.next else { return Ok(false) };
        let shard = grid.scan(map, self.partition, from)?;
        if self.replica.is_some_and(|replica| replica != shard.replica) {
            return Err(Primaries::elsewhere(self.partition, Some(grid.me())));
        }
        self.replica = Some(shard.replica);
        (self.shard, self.next) = (from, shard.next);
        self.records = shard.records.into_iter();
        Ok(true)
    }

    /// Puts the rows at hand into the order in which a mark finds its place again.
    pub(super) fn sort(&mut self) {
        let mut left: Vec<Record> = std::mem::take(&mut self.records).collect();
        left.sort_unstable_by(|a, b| a.key().cmp(b.key()));
        self.records = left.into_iter();
    }

    /// Whether every row has been given.
    pub(super) fn is_over(&self) -> bool {
        self.next.is_none() && self.records.len() == 0
    }

    /// Breaks off behind the row that was given last. Only where the rows at hand are in order.
    pub(super) fn mark(&self, last: &Record) -> Result<Mark> {
        let replica = self.replica.ok_or_else(|| Error::internal("no row of the scan was given yet"))?;
        Ok(Mark { replica, shard: self.shard, after: Key::from_packed(last.key())? })
    }
}
