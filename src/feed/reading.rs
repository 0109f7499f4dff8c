//! One message in the making.

use super::{Event, Filter, Source, subscriber::Rows};
use crate::{
    mutant::Mutant,
    partition::Change,
    store::Record,
    types::{Error, Position},
};

/// A message has at most this many events; the events of one entry stay together.
const EVENTS_A_MESSAGE: usize = 256;
/// A message that holds this many bytes takes no further entry or row.
const BYTES_A_MESSAGE: usize = 256 << 10;

/// The events of one message.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    bytes: usize,
    most: usize,
}

/// How far the log was read.
#[derive(Debug)]
pub(super) enum Reading {
    /// Up to this entry, included.
    UpTo(Position),
    /// Up to this entry; the one after it ends the subscription.
    Ended(Position, Error),
    /// Entries in between are gone.
    Gone,
}

impl Batch {
    /// A message for a subscriber that can take this many events.
    pub(super) fn new(credits: u32) -> Self {
        Batch { events: Vec::new(), bytes: 0, most: EVENTS_A_MESSAGE.min(credits as usize) }
    }

    /// Adds rows of a snapshot until the message is full. False if there was none left.
    pub(super) fn fill(&mut self, filter: &Filter, rows: &mut Rows) -> bool {
        if rows.as_slice().is_empty() {
            return false;
        }
        while !self.is_full()
            && let Some(row) = rows.next()
        {
            if let Some(event) = filter.snapshot(row) {
                self.push(event);
            }
        }
        true
    }

    /// Adds the changes after `from` that are news, until the message is full.
    pub(super) fn read(
        &mut self,
        filter: &mut Filter,
        source: &Source<'_>,
        from: Position,
        is_news: impl Fn(&Change) -> bool,
    ) -> Reading {
        let Ok(entries) = source.log.after(from) else { return Reading::Gone };
        let mut read = from;
        for entry in entries {
            if self.is_full() && Mutant::SkipsWhatDoesNotFit.is_on() {
                read = entry.position;
                continue;
            }
            if self.is_full() {
                break;
            }
            for change in &entry.changes {
                if let Change::Catalogue(catalogue) = change {
                    if let Err(error) = filter.follow(catalogue, source.view) {
                        return Reading::Ended(read, error);
                    }
                } else if is_news(change)
                    && let Some(event) = filter.event(change, entry.position)
                {
                    self.push(event);
                }
            }
            read = entry.position;
        }
        Reading::UpTo(read)
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.most || self.bytes >= BYTES_A_MESSAGE
    }

    fn push(&mut self, event: Event) {
        self.bytes += size_of::<Event>() + event.row.size() + event.old.as_ref().map_or(0, Record::size);
        self.events.push(event);
    }
}
