//! What is said: entries, frames, answers and rows.

use embergrid::feed;
use embergrid::partition::{Body, Change, Entry, Frame, Outcome, Part, Request};
use embergrid::store::Record;
use embergrid::types::Error;

use super::Trace;
use crate::cluster::draft::{Reply, What};
use crate::cluster::host::Message;

impl Trace {
    pub(super) fn add_row(&mut self, row: Option<&Record>) {
        self.add(row.map(|row| row.digest(0)));
    }

    pub(super) fn add_entry(&mut self, entry: &Entry) {
        self.add((entry.position, entry.time, entry.view));
        if let Some(answered) = &entry.answered {
            self.add((answered.id, answered.acknowledged_below));
            match &answered.answer {
                Ok(outcome) => self.add_outcome(outcome),
                Err(error) => self.add_text(error),
            }
        }
        for change in &entry.changes {
            self.add_kind(change);
            match change {
                Change::Catalogue(next) => self.add(next.version),
                Change::EndSession(session) => self.add(session),
                _ => {}
            }
            if let Some((map, old, new)) = change.row() {
                self.add(map);
                self.add_row(old);
                self.add_row(new);
            }
        }
    }

    fn add_outcome(&mut self, outcome: &Outcome) {
        self.add((outcome.applied, outcome.version));
        self.add_row(outcome.old.as_ref());
        self.add_row(outcome.record.as_ref());
    }

    pub(super) fn add_answer(&mut self, answer: &Result<Outcome, Error>) {
        match answer {
            Ok(outcome) => self.add_outcome(outcome),
            Err(error) => self.add_text(error),
        }
    }

    /// What comes of a call.
    pub(crate) fn add_result<'a>(&mut self, answer: Result<&'a What, &'a Error>) {
        match answer {
            Ok(What::Found(row)) => self.add_row(row.as_ref()),
            Ok(What::Written(outcome)) => self.add_outcome(outcome),
            Err(error) => self.add_text(error),
        }
    }

    pub(super) fn add_reply(&mut self, reply: &Reply) {
        self.add((reply.tag, reply.about));
        self.add_result(reply.answer.as_ref().map(|done| &done.what));
    }

    pub(super) fn add_request(&mut self, request: &Request) {
        self.add((request.origin, request.id, request.acknowledged_below, request.map));
        self.add(request.key.packed());
        self.add_kind(&request.op);
    }

    pub(super) fn add_frame(&mut self, frame: &Frame) {
        let Frame { partition, generation, epoch, from, to, body } = frame;
        self.add((partition, generation, epoch, from, to));
        match body {
            // What an entry says is in the effect by which it is published.
            Body::Prepare { prev, entries, committed } => {
                self.add((prev, committed));
                entries.iter().for_each(|entry| self.add((entry.position, entry.time, entry.changes.len())));
            }
            Body::Fill { fill, number, part } => {
                self.add((fill, number));
                self.add_part(part);
            }
            other => self.add_text(other),
        }
    }

    fn add_part(&mut self, part: &Part) {
        self.add_kind(part);
        match part {
            Part::Begin { at, time, catalogue } => self.add((at, time, catalogue.version)),
            Part::Rows { map, rows } => {
                self.add(map);
                rows.iter().for_each(|row| self.add_row(Some(row)));
            }
            Part::Log { floor, entries } => {
                self.add(floor);
                entries.iter().for_each(|entry| self.add_entry(entry));
            }
            Part::Ended(_) | Part::Sessions(_) | Part::Check { .. } => self.add_text(part),
        }
    }

    /// What a worker is asked to do.
    pub(super) fn add_message(&mut self, message: &Message) {
        self.add_kind(message);
        match message {
            Message::Request(partition, request) => {
                self.add(partition);
                self.add_request(request);
            }
            Message::Frames(frames) => frames.iter().for_each(|frame| self.add_frame(frame)),
            Message::Placement(catalogue) => self.add((catalogue.version, catalogue.placement)),
            Message::View(view) => self.add(view.version),
            other => self.add_text(other),
        }
    }

    /// What a subscriber is told.
    pub(super) fn add_news(&mut self, message: &feed::Message) {
        self.add_kind(message);
        match message {
            feed::Message::Snapshot { events } => events.iter().for_each(|event| self.add_event(event)),
            feed::Message::SnapshotEnd { at } => self.add(at),
            feed::Message::Changes { after, upto, events } => {
                self.add((after, upto));
                events.iter().for_each(|event| self.add_event(event));
            }
            feed::Message::Overrun => {}
        }
    }

    fn add_event(&mut self, event: &feed::Event) {
        self.add_kind(&event.kind);
        self.add((event.version, event.at));
        self.add_row(Some(&event.row));
    }
}
