//! The primary's side of a fill.

use std::vec;

use super::{PART_BYTES, Part};
use crate::{
    partition::{ledger::Ledger, sessions},
    store::Record,
    types::{Epoch, MapId, Position, Seq},
};

/// After a part a fill rests for as long as so many parts took to be answered, so that copies give way to writes: where
/// nothing else is to be done a part takes a millisecond or two, and tens of them beside many writers.
const TRIPS_OF_REST: u64 = 3;
/// A part that gets no answer is sent again after twice the time, as often as this.
const LONGEST_PAUSE: u32 = 4;

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
    /// How often the part on its way was sent again.
    repetitions: u32,
    /// The next part is not sent before.
    rest_until_us: u64,
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
            repetitions: 0,
            rest_until_us: 0,
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

    /// When to look at it again: the part on its way is to be sent again, or the rest before the next one is over. None
    /// where only frames can bring it on.
    pub(in crate::partition) fn next_us(&self, now_us: u64) -> Option<u64> {
        match self.on_its_way {
            Some(_) => Some(self.repeat_at_us),
            None => Some(self.rest_until_us).filter(|until_us| *until_us > now_us),
        }
    }

    /// Since when the part on its way is awaited.
    pub(in crate::partition) fn waiting_since_us(&self) -> Option<u64> {
        self.on_its_way.as_ref().map(|_| self.sent_us)
    }

    /// The epoch changed: what is on its way will be dropped.
    pub(in crate::partition) fn repeat(&mut self, now_us: u64) {
        self.sent_us = now_us;
        self.repeat_at_us = now_us;
        self.repetitions = 0;
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
        if self.next_us(now_us).is_some_and(|next_us| now_us < next_us) {
            return None;
        }
        match self.on_its_way {
            Some(_) => self.repetitions = (self.repetitions + 1).min(LONGEST_PAUSE),
            None => {
                self.on_its_way = Some(self.next(ledger, sent)?);
                self.sent_us = now_us;
                self.repetitions = 0;
            }
        }
        // A part is large: where it is only slow, sending it again makes everything slower.
        self.repeat_at_us = now_us.saturating_add(retry_us.saturating_mul(1 << self.repetitions));
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
    pub(in crate::partition) fn taken(&mut self, ledger: &Ledger, now_us: u64, longest_us: u64) -> bool {
        let trip_us = now_us.saturating_sub(self.sent_us);
        self.rest_until_us = now_us.saturating_add(trip_us.saturating_mul(TRIPS_OF_REST).min(longest_us));
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
