//! The rows as they are, merged with what changes meanwhile.

use std::{collections::BTreeSet, vec};

use super::ScanId;
use crate::{
    partition::{Gone, Log},
    store::{Cursor, Record},
    types::{MapId, Position},
};

/// How many keys may change during one snapshot before it is begun anew.
const MAX_CHANGED: usize = 1 << 18;

/// One partition's rows on their way to one subscriber.
///
/// A scan shows a row as it is at some moment after the snapshot began. If the row has not changed since then, that is
/// right; if it has, its change is in the log after the beginning and will be sent, so the scanned row is left out.
#[derive(Debug)]
pub(super) struct Snapshot {
    scan: ScanId,
    stage: Stage,
    /// Keys that changed since the snapshot began, up to `absorbed`.
    changed: BTreeSet<Box<[u8]>>,
    absorbed: Position,
}

#[derive(Debug)]
enum Stage {
    /// The next shard is to be asked for.
    Idle(Cursor),
    /// A shard has been asked for.
    Asked,
    /// Rows of a shard that have not been sent.
    Rows(vec::IntoIter<Record>, Option<Cursor>),
    /// All rows have been sent; the changes that stand in for rows left out are, up to this position.
    Done(Position),
}

impl Snapshot {
    /// Begins at `position`.
    pub(super) fn new(scan: ScanId, position: Position) -> Self {
        Snapshot { scan, stage: Stage::Idle(Cursor::default()), changed: BTreeSet::new(), absorbed: position }
    }

    pub(super) fn scan(&self) -> ScanId {
        self.scan
    }

    /// The shard to ask for next, once.
    pub(super) fn ask(&mut self) -> Option<Cursor> {
        let Stage::Idle(cursor) = self.stage else { return None };
        self.stage = Stage::Asked;
        Some(cursor)
    }

    pub(super) fn handle_scanned(&mut self, scan: ScanId, rows: Vec<Record>, next: Option<Cursor>) {
        if scan == self.scan && matches!(self.stage, Stage::Asked) {
            self.stage = Stage::Rows(rows.into_iter(), next);
        }
    }

    /// Takes note of what has changed.
    pub(super) fn absorb(&mut self, map: MapId, log: &Log) -> Result<(), Gone> {
        for entry in log.after(self.absorbed)? {
            let rows = entry.changes.iter().filter_map(|change| change.row());
            for (_, old, new) in rows.filter(|(of, ..)| *of == map) {
                if let Some(record) = new.or(old) {
                    self.changed.insert(record.key().into());
                }
            }
            self.absorbed = entry.position;
        }
        if self.changed.len() > MAX_CHANGED { Err(Gone) } else { Ok(()) }
    }

    /// The next row to show. Everything committed before the call has been absorbed.
    pub(super) fn next_row(&mut self) -> Option<Record> {
        let Stage::Rows(rows, next) = &mut self.stage else { return None };
        let row = rows.find(|row| !self.changed.contains(row.key()));
        if row.is_none() {
            self.stage = next.map_or(Stage::Done(self.absorbed), Stage::Idle);
        }
        row
    }

    /// Whether everything is shown once the changes up to `sent` are.
    pub(super) fn is_done(&self, sent: Position) -> bool {
        matches!(self.stage, Stage::Done(position) if sent >= position)
    }
}
