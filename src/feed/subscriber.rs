//! One subscription's place in one partition.

use std::{mem, vec};

use super::{
    Filter, Message, Source, Start,
    reading::{Batch, Reading},
    scan::Scan,
};
use crate::{
    mutant::Mutant,
    store::Record,
    types::{Error, Position},
};

/// One subscriber of one partition.
#[derive(Debug)]
pub(super) struct Subscriber {
    filter: Filter,
    /// How many events it can take.
    credits: u32,
    phase: Phase,
}

/// Where it is.
#[derive(Debug)]
enum Phase {
    /// Must be given a snapshot, after being told of the overrun if there was one.
    Beginning { overrun: bool },
    /// Is being given a snapshot.
    Scanning(Scan),
    /// Has been told of everything up to `told`; entries up to `read` are known not to concern it.
    Following { told: Position, read: Position },
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
            Start::Snapshot => Phase::Beginning { overrun: false },
            Start::Now => Phase::Following { told: head, read: head },
            Start::After(position) if source.log.after(position).is_ok() => {
                let is_early = Mutant::ResumesTooEarly.is_on();
                let read = if is_early { source.log.floor() } else { position };
                Phase::Following { told: position, read }
            }
            Start::After(_) => Phase::Beginning { overrun: true },
        };
        Subscriber { filter, credits, phase }
    }

    pub(super) fn credit(&mut self, events: u32) {
        self.credits = self.credits.saturating_add(events);
    }

    /// Tells how far it is, if that is news.
    pub(super) fn bookmark(&mut self) -> Option<Message> {
        let Phase::Following { told, read } = &mut self.phase else { return None };
        if told == read || self.credits == 0 {
            return None;
        }
        Some(Message::Changes { after: mem::replace(told, *read), upto: *read, events: Vec::new() })
    }

    /// Gives it what is there, as far as its credits reach.
    pub(super) fn serve(&mut self, source: &Source<'_>) -> Served {
        let mut served = Served::default();
        while self.credits > 0 && source.is_readable() {
            match self.step(source, &mut served.messages) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    served.end = Some(error);
                    break;
                }
            }
        }
        served
    }

    /// False when there is nothing to tell.
    fn step(&mut self, source: &Source<'_>, messages: &mut Vec<Message>) -> Result<bool, Error> {
        match &self.phase {
            Phase::Beginning { overrun } => {
                if *overrun && !Mutant::HidesOverrun.is_on() {
                    messages.push(Message::Overrun);
                }
                // It skips to the end of the log, past whatever changed the map's schema on the way.
                self.filter.catch_up(source)?;
                self.phase = Phase::Scanning(Scan::new(source.log.last()));
                Ok(true)
            }
            Phase::Scanning(_) => self.scan(source, messages),
            Phase::Following { .. } => self.follow(source, messages),
        }
    }

    /// Reads on in the log.
    fn follow(&mut self, source: &Source<'_>, messages: &mut Vec<Message>) -> Result<bool, Error> {
        let Phase::Following { told, read } = &mut self.phase else { return Ok(false) };
        if *read == source.log.last() {
            return Ok(false);
        }
        let mut batch = Batch::new(self.credits);
        let reading = batch.read(&mut self.filter, source, *read, |_| true);
        let after = *told;
        if let Reading::UpTo(position) | Reading::Ended(position, _) = &reading {
            *read = *position;
        }
        let (upto, events) = (*read, batch.events);
        if !events.is_empty() {
            *told = *read;
            self.credits = self.credits.saturating_sub(events.len() as u32);
            messages.push(Message::Changes { after, upto, events });
        }
        match reading {
            Reading::UpTo(_) => Ok(true),
            Reading::Ended(_, error) => Err(error),
            Reading::Gone => {
                self.phase = Phase::Beginning { overrun: true };
                Ok(true)
            }
        }
    }

    /// Rows of a scanned shard first, then what changed in the shards scanned so far, then the next shard.
    fn scan(&mut self, source: &Source<'_>, messages: &mut Vec<Message>) -> Result<bool, Error> {
        let Phase::Scanning(scan) = &mut self.phase else { return Ok(false) };
        let mut batch = Batch::new(self.credits);
        if batch.fill(&self.filter, &mut scan.rows) {
            return Ok(self.send(batch, messages));
        }
        if scan.read != source.log.last() {
            let map = self.filter.map();
            let read = scan.read;
            let is_news = |change: &_| scan.is_news(source.reader, map, change);
            match batch.read(&mut self.filter, source, read, is_news) {
                Reading::UpTo(position) => scan.read = position,
                Reading::Ended(_, error) => return Err(error),
                Reading::Gone => self.phase = Phase::Beginning { overrun: true },
            }
            return Ok(self.send(batch, messages));
        }
        if scan.next_shard(source, self.filter.map())? {
            return Ok(true);
        }
        let at = scan.read;
        messages.push(Message::SnapshotEnd { at });
        self.phase = Phase::Following { told: at, read: at };
        Ok(true)
    }

    fn send(&mut self, batch: Batch, messages: &mut Vec<Message>) -> bool {
        self.credits = self.credits.saturating_sub(batch.events.len() as u32);
        if !batch.events.is_empty() {
            messages.push(Message::Snapshot { events: batch.events });
        }
        true
    }
}

/// Rows that have been scanned and not sent.
pub(super) type Rows = vec::IntoIter<Record>;
