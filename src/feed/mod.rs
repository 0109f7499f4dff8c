//! PURE: subscriptions over committed entries.
//!
//! There is one [`Feed`] for each partition. It keeps no events: what a subscriber has not had is read from the
//! partition's [`Log`](crate::partition::Log) when there is credit for it, so a slow subscriber costs nothing but the
//! log, and is told so when that has moved on ([`Effect::Overrun`]).
//!
//! Architecture invariants:
//! - Every message covers a range `(after, upto]` of positions that begins where the last one ended, so a filtered
//!   stream proves that it has no gap.
//! - `added` and `removed` mean entering and leaving the predicate, whatever happened to the row.
//! - A snapshot is merged with what changes meanwhile: a row that changed since the snapshot began is not shown by
//!   the snapshot but by its change. Until [`Effect::SnapshotEnd`], a change may concern a row not shown before.

mod filter;
mod message;
mod snapshot;
mod subscriber;
mod token;

use std::{collections::BTreeMap, sync::Arc};

pub use filter::Filter;
pub use message::{Effect, Event, Kind, Message, ScanId, SubscriberId};
use subscriber::Subscriber;
pub use token::Token;

use crate::{
    partition::Log,
    store::{Cursor, Record},
    types::Position,
};

/// What a subscriber asks one partition for.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The map, and which of its rows.
    pub filter: Arc<Filter>,
    /// Where to begin.
    pub from: Start,
    /// Whether a subscriber that was overrun is shown the rows anew; otherwise it goes on with what changes next.
    pub snapshot_after_overrun: bool,
    /// How many events may be sent before [`Feed::credit`] allows more.
    pub credits: u64,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the rows as they are, then every change.
    Snapshot,
    /// With the next change.
    Now,
    /// With the change after this one; if that is gone, with an overrun.
    After(Position),
}

/// The subscriptions to one partition.
#[derive(Debug, Default)]
pub struct Feed {
    subscribers: BTreeMap<SubscriberId, Subscriber>,
    scans: u64,
}

impl Feed {
    /// Without subscribers.
    pub fn new() -> Self {
        Feed::default()
    }

    /// Whether nobody listens: there is nothing to call then.
    pub fn is_empty(&self) -> bool {
        self.subscribers.is_empty()
    }

    /// Begins a subscription. An id that is in use is taken over.
    pub fn subscribe(
        &mut self,
        id: SubscriberId,
        subscription: Subscription,
        log: &Log,
        effects: &mut Vec<Effect>,
    ) {
        self.subscribers.insert(id, Subscriber::new(id, subscription, log));
        self.work(id, log, effects);
    }

    /// Sends what was committed since. To be called after entries were published, before the log drops them.
    pub fn advance(&mut self, log: &Log, effects: &mut Vec<Effect>) {
        self.for_each(|subscriber, scans| subscriber.work(log, scans, effects));
    }

    /// Allows a subscriber as many more events.
    pub fn credit(&mut self, id: SubscriberId, events: u64, log: &Log, effects: &mut Vec<Effect>) {
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.add_credit(events);
        }
        self.work(id, log, effects);
    }

    /// The rows of an [`Effect::Scan`], read after it was emitted, and where the scan goes on.
    pub fn handle_scanned(
        &mut self,
        id: SubscriberId,
        scan: ScanId,
        rows: Vec<Record>,
        next: Option<Cursor>,
        log: &Log,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.handle_scanned(scan, rows, next);
        }
        self.work(id, log, effects);
    }

    /// Tells idle subscribers how far they are, so that they can resume from there. To be called now and then.
    pub fn bookmark(&mut self, effects: &mut Vec<Effect>) {
        self.for_each(|subscriber, _| {
            subscriber.bookmark(effects);
            true
        });
    }

    /// Ends a subscription.
    pub fn cancel(&mut self, id: SubscriberId) {
        self.subscribers.remove(&id);
    }

    fn work(&mut self, id: SubscriberId, log: &Log, effects: &mut Vec<Effect>) {
        if let Some(subscriber) = self.subscribers.get_mut(&id)
            && !subscriber.work(log, &mut self.scans, effects)
        {
            self.subscribers.remove(&id);
        }
    }

    /// Whoever returns false has ended.
    fn for_each(&mut self, mut act: impl FnMut(&mut Subscriber, &mut u64) -> bool) {
        let scans = &mut self.scans;
        self.subscribers.retain(|_, subscriber| act(subscriber, scans));
    }
}
