//! One subscriber of one partition.

use std::sync::Arc;

use super::{
    Effect, Event, Filter, Kind, Message, ScanId, Start, SubscriberId, Subscription, snapshot::Snapshot,
};
use crate::{
    partition::{Change, Entry, Log},
    store::{Cursor, Record},
    types::{Error, Position},
};

/// The most events of one message.
const MESSAGE_EVENTS: usize = 256;
/// A message that holds this many bytes takes no further event.
const MESSAGE_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Subscriber {
    id: SubscriberId,
    filter: Arc<Filter>,
    snapshot_after_overrun: bool,
    credits: u64,
    /// Where the last message ended.
    sent: Position,
    /// Up to here there is nothing more to send.
    seen: Position,
    phase: Phase,
    /// The next message.
    events: Vec<Event>,
    bytes: usize,
}

#[derive(Debug)]
enum Phase {
    /// Waits for credit, then begins with the rows as they are.
    Waiting,
    Snapshot(Snapshot),
    Live,
    /// Was overrun, and has not been told.
    Overrun,
}

impl Subscriber {
    pub(super) fn new(id: SubscriberId, subscription: Subscription, log: &Log) -> Self {
        let Subscription { filter, from, snapshot_after_overrun, credits } = subscription;
        let (phase, position) = match from {
            Start::Snapshot => (Phase::Waiting, log.last()),
            Start::Now => (Phase::Live, log.last()),
            Start::After(position) if log.after(position).is_ok() => (Phase::Live, position),
            Start::After(_) => (Phase::Overrun, log.last()),
        };
        let (sent, seen) = (position, position);
        let (events, bytes) = (Vec::new(), 0);
        Subscriber { id, filter, snapshot_after_overrun, credits, sent, seen, phase, events, bytes }
    }

    pub(super) fn add_credit(&mut self, events: u64) {
        self.credits = self.credits.saturating_add(events);
    }

    pub(super) fn handle_scanned(&mut self, scan: ScanId, rows: Vec<Record>, next: Option<Cursor>) {
        if let Phase::Snapshot(snapshot) = &mut self.phase {
            snapshot.handle_scanned(scan, rows, next);
        }
    }

    /// Sends what there is and is credit for. False if the subscription has ended.
    pub(super) fn work(&mut self, log: &Log, scans: &mut u64, effects: &mut Vec<Effect>) -> bool {
        loop {
            if matches!(self.phase, Phase::Overrun) {
                self.handle_overrun(log, effects);
            }
            if matches!(self.phase, Phase::Waiting) && self.credits > 0 {
                *scans += 1;
                (self.sent, self.seen) = (log.last(), log.last());
                self.phase = Phase::Snapshot(Snapshot::new(ScanId(*scans), log.last()));
            }
            if let Err(Stop::Closed(error)) = self.send_changes(log, effects) {
                effects.push(Effect::Closed { subscriber: self.id, error });
                return false;
            }
            self.send_rows(log, effects);
            // Whoever was overrun begins anew at the end of the log, and cannot be overrun there.
            if !matches!(self.phase, Phase::Overrun) {
                return true;
            }
        }
    }

    /// Says how far the stream has come, if that was not said yet.
    pub(super) fn bookmark(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Live) && self.seen > self.sent && self.credits > 0 {
            self.credits -= 1;
            self.flush(effects);
        }
    }

    fn handle_overrun(&mut self, log: &Log, effects: &mut Vec<Effect>) {
        effects.push(Effect::Overrun { subscriber: self.id });
        (self.sent, self.seen) = (log.last(), log.last());
        self.phase = if self.snapshot_after_overrun { Phase::Waiting } else { Phase::Live };
    }

    fn send_changes(&mut self, log: &Log, effects: &mut Vec<Effect>) -> Result<(), Stop> {
        if self.seen == log.last() || matches!(self.phase, Phase::Waiting) {
            return Ok(());
        }
        let Ok(entries) = log.after(self.seen) else {
            self.phase = Phase::Overrun;
            return Ok(());
        };
        for entry in entries {
            match self.send_entry(entry, effects) {
                Ok(()) => self.seen = entry.position,
                Err(Stop::Closed(error)) => {
                    self.flush(effects);
                    return Err(Stop::Closed(error));
                }
                Err(Stop::NoCredit) => break,
            }
        }
        if !self.events.is_empty() {
            self.flush(effects);
        }
        Ok(())
    }

    /// An entry's events stay together.
    fn send_entry(&mut self, entry: &Entry, effects: &mut Vec<Effect>) -> Result<(), Stop> {
        let before = self.events.len();
        for change in &entry.changes {
            if let Change::Catalogue(view) = change {
                let Some(map) = view.maps.get(&self.filter.map()) else { return Err(Stop::dropped()) };
                if let Some(filter) = self.filter.following(&map.map) {
                    self.filter = filter.map_err(Stop::Closed)?.into();
                }
            }
            self.events.extend(self.filter.event(change));
        }
        let added = &self.events[before..];
        if added.is_empty() {
            return Ok(());
        }
        if self.credits == 0 {
            self.events.truncate(before);
            return Err(Stop::NoCredit);
        }
        self.credits = self.credits.saturating_sub(added.len() as u64);
        self.bytes += added.iter().map(Event::size).sum::<usize>();
        if self.is_full() {
            self.seen = entry.position;
            self.flush(effects);
        }
        Ok(())
    }

    fn send_rows(&mut self, log: &Log, effects: &mut Vec<Effect>) {
        let Phase::Snapshot(snapshot) = &mut self.phase else { return };
        if snapshot.absorb(self.filter.map(), log).is_err() {
            self.phase = Phase::Overrun;
            return;
        }
        let mut rows = Vec::new();
        let mut bytes = 0;
        let message = |events: Vec<Event>| {
            Effect::Send(Message { subscriber: self.id, after: self.sent, upto: self.sent, events })
        };
        while self.credits > 0 {
            let Some(row) = snapshot.next_row() else { break };
            if !self.filter.matches(&row) {
                continue;
            }
            let event = Event { kind: Kind::Snapshot, row: Some(row), old: None };
            self.credits -= 1;
            bytes += event.size();
            rows.push(event);
            if rows.len() >= MESSAGE_EVENTS || bytes >= MESSAGE_BYTES {
                effects.push(message(std::mem::take(&mut rows)));
                bytes = 0;
            }
        }
        if !rows.is_empty() {
            effects.push(message(rows));
        }
        if snapshot.is_done(self.seen) {
            effects.push(Effect::SnapshotEnd { subscriber: self.id, position: self.seen });
            self.sent = self.seen;
            self.phase = Phase::Live;
        } else if let Some(from) = snapshot.ask() {
            let (scan, map) = (snapshot.scan(), self.filter.map());
            effects.push(Effect::Scan { subscriber: self.id, scan, map, from });
        }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= MESSAGE_EVENTS || self.bytes >= MESSAGE_BYTES
    }

    fn flush(&mut self, effects: &mut Vec<Effect>) {
        let events = std::mem::take(&mut self.events);
        self.bytes = 0;
        if events.is_empty() && self.sent == self.seen {
            return;
        }
        effects.push(Effect::Send(Message {
            subscriber: self.id,
            after: self.sent,
            upto: self.seen,
            events,
        }));
        self.sent = self.seen;
    }
}

/// Why sending changes stops.
enum Stop {
    NoCredit,
    Closed(Error),
}

impl Stop {
    fn dropped() -> Self {
        Stop::Closed(Error::not_found("the map was dropped"))
    }
}
