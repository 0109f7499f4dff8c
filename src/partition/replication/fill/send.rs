//! The primary's side of a fill.

use std::vec;

use super::{PART_BYTES, Part};
use crate::{
    partition::{ledger::Ledger, sessions},
    store::Record,
    types::{Epoch, MapId, Position, Seq},
};

/// A fill under way.
#[derive(Debug)]
pub(in crate::partition) struct Sender {
    fill: Epoch,
    stage: Stage,
    /// The number of the part on its way, or of the next one.
    number: u32,
    on_its_way: Option<Part>,
    /// Rows that have arrived.
    copied: u64,
    sent_us: u64,
    repeat_at_us: u64,
    /// The pinned entry, once the learner has begun there.
    pub(in crate::partition) pinned: Option<Position>,
}

/// What is to be copied next. Each stage ends in the one after it.
#[derive(Debug)]
enum Stage {
    Begin,
    Rows(Rows),
    Ended,
    Sessions(sessions::Cursor),
    /// Entries up to this one.
    Log(Seq),
    Check,
}

/// Rows still to be sent.
#[derive(Debug)]
struct Rows {
    /// Last one first.
    maps: Vec<MapId>,
    shard: usize,
    rows: vec::IntoIter<Record>,
}

impl Sender {
    pub(in crate::partition) fn new(fill: Epoch) -> Self {
        Sender {
            fill,
            stage: Stage::Begin,
            number: 0,
            on_its_way: None,
            copied: 0,
            sent_us: 0,
            repeat_at_us: 0,
            pinned: None,
        }
    }

    /// Which fill it is.
    pub(in crate::partition) fn fill(&self) -> Epoch {
        self.fill
    }

    /// Which part is on its way.
    pub(in crate::partition) fn number(&self) -> u32 {
        self.number
    }

    /// How many rows have arrived.
    pub(in crate::partition) fn copied(&self) -> u64 {
        self.copied
    }

    /// When the part on its way is to be sent again.
    pub(in crate::partition) fn repeat_at_us(&self) -> Option<u64> {
        self.on_its_way.as_ref().map(|_| self.repeat_at_us)
    }

    /// Since when the part on its way is awaited.
    pub(in crate::partition) fn waiting_since_us(&self) -> Option<u64> {
        self.on_its_way.as_ref().map(|_| self.sent_us)
    }

    /// The epoch changed: what is on its way will be dropped.
    pub(in crate::partition) fn repeat(&mut self, now_us: u64) {
        self.sent_us = now_us;
        self.repeat_at_us = now_us;
    }

    /// The part to send now. `sent` is the last entry that was sent to the learner: a checksum waits until that is
    /// the last committed one, or later.
    pub(in crate::partition) fn poll(
        &mut self,
        ledger: &Ledger,
        sent: Seq,
        now_us: u64,
        retry_us: u64,
    ) -> Option<Part> {
        if self.repeat_at_us().is_some_and(|repeat_at_us| now_us < repeat_at_us) {
            return None;
        }
        if self.on_its_way.is_none() {
            self.on_its_way = Some(self.next(ledger, sent)?);
            self.sent_us = now_us;
        }
        self.repeat_at_us = now_us.saturating_add(retry_us);
        self.on_its_way.clone()
    }

    fn next(&mut self, ledger: &Ledger, sent: Seq) -> Option<Part> {
        loop {
            match &mut self.stage {
                Stage::Begin => {
                    let catalogue = ledger.log.catalogue().clone();
                    return Some(Part::Begin { at: ledger.committed(), time: ledger.time, catalogue });
                }
                Stage::Rows(rows) => match rows.next(ledger) {
                    Some(part) => return Some(part),
                    None => self.stage = Stage::Ended,
                },
                Stage::Ended => {
                    self.stage = Stage::Sessions(ledger.sessions.copy());
                    return Some(Part::Ended(ledger.sessions.ended()));
                }
                Stage::Sessions(cursor) => {
                    let copies = ledger.sessions.copy_next(cursor, PART_BYTES);
                    if !copies.is_empty() {
                        return Some(Part::Sessions(copies));
                    }
                    self.stage = Stage::Log(self.pinned.unwrap_or_default().seq);
                }
                Stage::Log(upto) => match log_part(ledger, *upto) {
                    Some((before, part)) => {
                        *upto = before;
                        return Some(part);
                    }
                    None => self.stage = Stage::Check,
                },
                Stage::Check => {
                    let at = ledger.committed();
                    return (sent >= at.seq).then(|| Part::Check { at, checksum: ledger.store.checksum() });
                }
            }
        }
    }

    /// The part on its way has arrived. True if it was the last one.
    pub(in crate::partition) fn taken(&mut self, ledger: &Ledger) -> bool {
        self.number += 1;
        match self.on_its_way.take() {
            Some(Part::Begin { at, .. }) => {
                self.pinned = Some(at);
                self.stage = Stage::Rows(Rows::new(ledger));
                false
            }
            Some(Part::Rows { rows, .. }) => {
                self.copied += rows.len() as u64;
                false
            }
            Some(Part::Check { .. }) => true,
            _ => false,
        }
    }

    /// The checksum was out of date: another is sent under the same number.
    pub(in crate::partition) fn missed(&mut self) {
        self.on_its_way = None;
    }

    /// Up to where the log must reach back for this learner, before it has begun to follow.
    pub(in crate::partition) fn needs_after(&self) -> Option<Seq> {
        match &self.on_its_way {
            Some(Part::Begin { at, .. }) => Some(at.seq),
            _ => None,
        }
    }
}

impl Rows {
    fn new(ledger: &Ledger) -> Self {
        let mut maps: Vec<MapId> = ledger.store.maps().collect();
        maps.reverse();
        Rows { maps, shard: 0, rows: Vec::new().into_iter() }
    }

    fn next(&mut self, ledger: &Ledger) -> Option<Part> {
        while self.rows.as_slice().is_empty() {
            match ledger.store.shard(*self.maps.last()?, self.shard) {
                Some(rows) => {
                    self.shard += 1;
                    self.rows = rows.into_iter();
                }
                None => {
                    self.maps.pop();
                    self.shard = 0;
                }
            }
        }
        let map = *self.maps.last()?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while bytes < PART_BYTES
            && let Some(row) = self.rows.next()
        {
            bytes += row.size();
            rows.push(row);
        }
        Some(Part::Rows { map, rows })
    }
}

/// The newest entries up to `upto` that are kept, and the seq before them.
fn log_part(ledger: &Ledger, upto: Seq) -> Option<(Seq, Part)> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for entry in ledger.log.upto(upto).rev() {
        if bytes >= PART_BYTES {
            break;
        }
        bytes += entry.payload();
        entries.push(entry.clone());
    }
    entries.reverse();
    let before = Seq(entries.first()?.position.seq.0 - 1);
    let floor = ledger.log.position_at(before)?;
    Some((before, Part::Log { floor, entries }))
}
