//! A snapshot on its way to one subscriber.

use smallvec::SmallVec;

use super::{Source, subscriber::Rows};
use crate::{
    mutant::Mutant,
    partition::Change,
    store::{Cursor, Reader},
    types::{Error, MapId, Position},
};

/// The rows are scanned one shard at a time, each between two entries, so that for every shard it is known which
/// changes its rows already show. Changes of shards that are still to be scanned are left to their scan.
#[derive(Debug)]
pub(super) struct Scan {
    /// Entries up to here are told, or shown by rows.
    pub(super) read: Position,
    /// Rows of the last shard that are not sent yet.
    pub(super) rows: Rows,
    next: Option<Cursor>,
    /// Each of these shows every entry that was read when it was scanned, and none after it.
    scanned: SmallVec<[Cursor; 4]>,
}

impl Scan {
    pub(super) fn new(start: Position) -> Self {
        Scan {
            read: start,
            rows: Vec::new().into_iter(),
            next: Some(Cursor::default()),
            scanned: SmallVec::new(),
        }
    }

    /// Scans one more shard, when all entries are read; false if all are scanned.
    pub(super) fn next_shard(&mut self, source: &Source<'_>, map: MapId) -> Result<bool, Error> {
        let Some(cursor) = self.next else { return Ok(false) };
        let (records, next) = source.reader.scan(map, cursor)?;
        debug_assert_eq!(self.read, source.log.last(), "what is read twice would go back");
        self.scanned.push(cursor);
        self.rows = records.into_iter();
        self.next = next;
        Ok(true)
    }

    /// Whether a change that is read now came after its shard was scanned.
    pub(super) fn is_news(&self, reader: &Reader, map: MapId, change: &Change) -> bool {
        let Some((of, old, new)) = change.row() else { return false };
        let Some(record) = new.or(old).filter(|_| of == map) else { return false };
        let shard = reader.cursor_of(map, record.key());
        shard.is_some_and(|shard| self.scanned.contains(&shard)) && !Mutant::SnapshotLosesChanges.is_on()
    }
}
