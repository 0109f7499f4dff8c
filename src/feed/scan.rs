//! A snapshot on its way to one subscriber.

use smallvec::SmallVec;

use super::{Source, subscriber::Rows};
use crate::{
    mutant::Mutant,
    partition::{Change, Entry},
    store::{Cursor, Reader},
    types::{Error, MapId, Position, Seq},
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
    /// The last entry that each scanned shard shows.
    scanned: SmallVec<[(Cursor, Seq); 4]>,
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

    /// Scans one more shard; false if all are.
    pub(super) fn next_shard(&mut self, source: &Source<'_>, map: MapId) -> Result<bool, Error> {
        let Some(cursor) = self.next else { return Ok(false) };
        let (records, next) = source.reader.scan(map, cursor)?;
        self.scanned.push((cursor, source.log.last().seq));
        self.rows = records.into_iter();
        self.next = next;
        Ok(true)
    }

    /// Whether the change came after its shard was scanned.
    pub(super) fn is_news(&self, reader: &Reader, map: MapId, entry: &Entry, change: &Change) -> bool {
        let Some((of, old, new)) = change.row() else { return false };
        let Some(record) = new.or(old).filter(|_| of == map) else { return false };
        let shard = reader.cursor_of(map, record.key());
        let is_later = |at: &Seq| entry.position.seq > *at || Mutant::SnapshotGoesBack.is_on();
        let mut scanned = self.scanned.iter();
        scanned.any(|(cursor, at)| Some(*cursor) == shard && is_later(at))
            && !Mutant::SnapshotLosesChanges.is_on()
    }
}
