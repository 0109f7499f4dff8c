//! One subscription's place in one partition.

use super::{Event, Filter, Message, Source, Start};
use crate::{
    partition::{Change, Entry},
    store::Cursor,
    types::{Error, Position, Seq},
};

/// A message has at most about this many events: one entry or shard more ends it.
const EVENTS_A_MESSAGE: usize = 256;
/// How far one call reads, so that a long way behind does not hold up the partition.
const ENTRIES_A_CALL: usize = 4096;

/// One subscriber of one partition.
#[derive(Debug)]
pub(super) struct Subscriber {
    filter: Filter,
    credits: u32,
    phase: Phase,
}

/// Where it is.
#[derive(Debug)]
enum Phase {
    /// Must be told of an overrun, then given a snapshot.
    Overrun,
    /// Its snapshot is being scanned.
    Scanning(Scan),
    /// Has been told of everything up to `told`; entries up to `read` are known not to concern it.
    Following { told: Position, read: Position },
}

/// A snapshot under way.
#[derive(Debug)]
struct Scan {
    /// The last entry when the scan began.
    pinned: Position,
    /// The shard to be scanned next.
    next: Cursor,
    /// The seq at which each shard was scanned, in scan order.
    scanned: Vec<(Cursor, Seq)>,
}

/// What one call came to.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) messages: Vec<Message>,
    pub(super) end: Option<Error>,
}

impl Subscriber {
    pub(super) fn new(filter: Filter, start: Start, credits: u32, source: &Source<'_>) -> Self {
        let head = source.log.last();
        let phase = match start {
            Start::Snapshot => Phase::Scanning(Scan::new(head)),
            Start::Now => Phase::Following { told: head, read: head },
            Start::After(position) if source.log.after(position).is_ok() => {
                Phase::Following { told: position, read: position }
            }
            Start::After(_) => Phase::Overrun,
        };
        Subscriber { filter, credits, phase }
    }

    pub(super) fn credit(&mut self, events: u32) {
        self.credits = self.credits.saturating_add(events);
    }

    /// Tells how far it is, if that is news.
    pub(super) fn bookmark(&mut self) -> Option<Message> {
        let Phase::Following { told, read } = &mut self.phase else { return None };
        if told == read {
            return None;
        }
        let message = Message::Changes { after: *told, upto: *read, events: Vec::new() };
        *told = *read;
        Some(message)
    }

    /// Gives it what is there, as far as its credits reach.
    pub(super) fn serve(&mut self, source: &Source<'_>) -> Served {
        let mut served = Served::default();
        while self.credits > 0 && served.end.is_none() {
            let more = match &self.phase {
                Phase::Overrun => {
                    served.messages.push(Message::Overrun);
                    self.phase = Phase::Scanning(Scan::new(source.log.last()));
                    true
                }
                Phase::Scanning(_) => self.scan(source, &mut served),
                Phase::Following { .. } => self.follow(source, &mut served),
            };
            if !more {
                break;
            }
        }
        served
    }

    /// Scans one shard, or ends the snapshot after the last; false when it cannot go on.
    fn scan(&mut self, source: &Source<'_>, served: &mut Served) -> bool {
        let Phase::Scanning(scan) = &mut self.phase else { return false };
        let (records, next) = match source.reader.scan(self.filter.map(), scan.next) {
            Ok(shard) => shard,
            Err(error) => {
                served.end = Some(error.into());
                return false;
            }
        };
        let events: Vec<Event> = records.into_iter().filter_map(|row| self.filter.snapshot(row)).collect();
        scan.scanned.push((scan.next, source.log.last().seq));
        self.credits = self.credits.saturating_sub(events.len() as u32);
        if !events.is_empty() {
            served.messages.push(Message::Snapshot { events });
        }
        match next {
            Some(next) => scan.next = next,
            None => return self.end_scan(source, served),
        }
        true
    }

    /// All shards are scanned: what changed meanwhile follows, then the marker.
    fn end_scan(&mut self, source: &Source<'_>, served: &mut Served) -> bool {
        let Phase::Scanning(scan) = &self.phase else { return false };
        let Ok(entries) = source.log.after(scan.pinned) else {
            // The log moved past the pin while credits were short.
            self.phase = Phase::Overrun;
            return true;
        };
        let mut events = Vec::new();
        for entry in entries {
            if let Err(error) = read_entry(&mut self.filter, entry, &mut events, |filter, change| {
                scan.is_news(source, filter, change, entry.position.seq)
            }) {
                served.end = Some(error);
                return false;
            }
        }
        self.credits = self.credits.saturating_sub(events.len() as u32);
        if !events.is_empty() {
            served.messages.push(Message::Snapshot { events });
        }
        let at = source.log.last();
        served.messages.push(Message::SnapshotEnd { at });
        self.phase = Phase::Following { told: at, read: at };
        true
    }

    /// Reads on in the log; false when there is nothing more.
    fn follow(&mut self, source: &Source<'_>, served: &mut Served) -> bool {
        let Phase::Following { told, read } = &mut self.phase else { return false };
        if *read == source.log.last() {
            return false;
        }
        let Ok(entries) = source.log.after(*read) else {
            self.phase = Phase::Overrun;
            return true;
        };
        let enough = EVENTS_A_MESSAGE.min(self.credits as usize);
        let mut events = Vec::new();
        for entry in entries.take(ENTRIES_A_CALL) {
            if let Err(error) = read_entry(&mut self.filter, entry, &mut events, |_, _| true) {
                served.end = Some(error);
                return false;
            }
            *read = entry.position;
            if events.len() >= enough {
                break;
            }
        }
        if !events.is_empty() {
            self.credits = self.credits.saturating_sub(events.len() as u32);
            served.messages.push(Message::Changes { after: *told, upto: *read, events });
            *told = *read;
        }
        true
    }
}

impl Scan {
    fn new(pinned: Position) -> Self {
        Scan { pinned, next: Cursor::default(), scanned: Vec::new() }
    }

    /// Whether the change came after its shard was scanned.
    fn is_news(&self, source: &Source<'_>, filter: &Filter, change: &Change, seq: Seq) -> bool {
        let Some((map, old, new)) = change.row() else { return false };
        let Some(record) = new.or(old).filter(|_| map == filter.map()) else { return false };
        let shard = source.reader.cursor_of(map, record.key());
        self.scanned.iter().any(|(cursor, at)| Some(*cursor) == shard && seq > *at)
    }
}

/// Adds what an entry means to the subscription; an error ends it.
fn read_entry(
    filter: &mut Filter,
    entry: &Entry,
    events: &mut Vec<Event>,
    is_news: impl Fn(&Filter, &Change) -> bool,
) -> Result<(), Error> {
    for change in &entry.changes {
        if let Change::Catalogue(view) = change {
            let Some(map) = view.maps.get(&filter.map()) else {
                return Err(Error::not_found("the map was dropped"));
            };
            filter.follow(&map.map)?;
        } else if is_news(filter, change) {
            events.extend(filter.event(change, entry.position));
        }
    }
    Ok(())
}
