//! A worker: the owner of a share of the partitions. It feeds the cores and performs their effects.

use std::sync::{Arc, Weak, atomic::Ordering};

use smallvec::SmallVec;

use super::{combiner::Owner, connection::Deliveries, shared::Shared};
use crate::{
    binding::Scores,
    feed::{self, Feed, Source},
    partition::{Core, Effect, Input, Request, ScoreTask, Ticket, View},
    scoring::{Batch, Batcher},
    store::GLANCES,
    types::{CatalogueVersion, Error, Now, PartitionId, Result, SessionId},
};

/// What a worker is asked to do.
#[derive(Debug)]
pub(super) enum Message {
    /// An operation of a client.
    Request(PartitionId, Request),
    /// What became of rows that were scored elsewhere.
    Scored(Vec<(Waiting, Result<Scores>)>),
    /// The catalogue moved.
    View(Arc<View>),
    /// The partitions may be read until then.
    Lease { until_us: u64 },
    /// A session is over.
    EndSession(SessionId),
    /// Something may be due.
    Tick,
    /// Idle subscribers are to be told how far they are.
    Bookmark,
    /// A subscriber's part.
    Feed(PartitionId, feed::Input),
}

/// Whose score it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    unit: usize,
    ticket: Ticket,
}

/// One partition in a worker's hands.
pub(super) struct Unit {
    partition: PartitionId,
    core: Core,
    feed: Feed,
    /// Entries were committed that its feed has not seen.
    published: bool,
}

impl Unit {
    pub(super) fn new(partition: PartitionId, core: Core) -> Self {
        Unit { partition, core, feed: Feed::default(), published: false }
    }
}

/// The owner of every `stride`-th partition.
pub(super) struct Worker {
    number: usize,
    stride: usize,
    /// Weak: the node holds its workers, not they the node.
    shared: Weak<Shared>,
    units: Vec<Unit>,
    batcher: Batcher<Waiting>,
    deliveries: Deliveries,
    /// Filled and emptied within a call; kept for their capacity.
    effects: Vec<Effect>,
    events: Vec<feed::Effect>,
    /// The units with something for their feed.
    published: Vec<usize>,
}

impl Owner for Worker {
    type Message = Message;

    fn handle(&mut self, messages: &mut Vec<Message>) {
        let Some(shared) = self.shared.upgrade() else { return messages.clear() };
        let now = shared.clock.now();
        let mut messages = messages.drain(..);
        while !messages.as_slice().is_empty() {
            self.warm(&messages.as_slice()[..GLANCES.min(messages.len())]);
            for message in messages.by_ref().take(GLANCES) {
                self.dispatch(&shared, now, message);
            }
        }
        self.run_batches(&shared, now);
        self.serve_feeds(&shared);
        self.deliveries.flush(&shared.connections);
        self.publish_deadline(&shared);
    }
}

impl Worker {
    /// Worker `number` of `stride`, with its units in the order of their partitions.
    pub(super) fn new(number: usize, stride: usize, shared: Weak<Shared>, units: Vec<Unit>) -> Self {
        Worker {
            number,
            stride,
            shared,
            units,
            batcher: Batcher::default(),
            deliveries: Deliveries::default(),
            effects: Vec::new(),
            events: Vec::new(),
            published: Vec::new(),
        }
    }

    /// Brings near what the requests among the messages will touch.
    fn warm(&self, messages: &[Message]) {
        if messages.len() < 2 {
            return;
        }
        let request = |message| match message {
            &Message::Request(partition, ref request) => {
                Some((&self.units[self.unit(partition)].core, request))
            }
            _ => None,
        };
        let requests: SmallVec<[_; GLANCES]> = messages.iter().filter_map(request).collect();
        Core::warm(&requests);
    }

    fn dispatch(&mut self, shared: &Arc<Shared>, now: Now, message: Message) {
        match message {
            Message::Request(partition, request) => {
                self.feed_core(shared, now, self.unit(partition), Input::Request(request))
            }
            Message::Scored(scores) => {
                for (waiting, result) in scores {
                    self.feed_core(
                        shared,
                        now,
                        waiting.unit,
                        Input::Scored { ticket: waiting.ticket, result },
                    );
                }
            }
            Message::View(view) => {
                let version = view.version;
                self.feed_all(shared, now, || Input::View(view.clone()));
                self.adopted(shared, version);
            }
            Message::Lease { until_us } => self.feed_all(shared, now, || Input::Lease { until_us }),
            Message::EndSession(session) => self.feed_all(shared, now, || Input::EndSession(session)),
            Message::Tick => self.feed_due(shared, now),
            Message::Bookmark => self.bookmark(shared),
            Message::Feed(partition, input) => self.feed_feed(shared, self.unit(partition), input),
        }
    }

    fn unit(&self, partition: PartitionId) -> usize {
        usize::from(partition.0) / self.stride
    }

    fn feed_all(&mut self, shared: &Arc<Shared>, now: Now, input: impl Fn() -> Input) {
        for unit in 0..self.units.len() {
            self.feed_core(shared, now, unit, input());
        }
    }

    /// Wakes the cores whose deadline has come.
    fn feed_due(&mut self, shared: &Arc<Shared>, now: Now) {
        for unit in 0..self.units.len() {
            let due = self.units[unit].core.next_deadline();
            if due.is_some_and(|due| due <= now.mono_us) {
                self.feed_core(shared, now, unit, Input::Tick);
            }
        }
    }

    fn feed_core(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, input: Input) {
        let Some(Unit { core, .. }) = self.units.get_mut(unit) else { return };
        core.handle(now, input, &mut self.effects);
        // A row whose features cannot be computed goes straight back to its core, which has more effects.
        while !self.effects.is_empty() {
            let mut effects = std::mem::take(&mut self.effects);
            for effect in effects.drain(..) {
                self.perform(shared, now, unit, effect);
            }
            if self.effects.is_empty() {
                self.effects = effects;
                return;
            }
        }
    }

    fn perform(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, effect: Effect) {
        match effect {
            Effect::Reply { origin, answer } => self.deliveries.push(&shared.connections, origin, answer),
            Effect::Publish(_) => {
                let unit_state = &mut self.units[unit];
                if !unit_state.feed.is_idle() && !std::mem::replace(&mut unit_state.published, true) {
                    self.published.push(unit);
                }
            }
            Effect::Score(task) => self.gather(shared, now, unit, task),
            Effect::Send { .. } | Effect::Propose { .. } => {
                let partition = self.units[unit].partition;
                tracing::error!(%partition, "a partition that this node holds alone has a peer");
            }
        }
    }

    /// Adds a row to the tick's batches.
    fn gather(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, task: ScoreTask) {
        let waiting = Waiting { unit, ticket: task.ticket };
        let added = match task.map.map.schema() {
            Some(schema) => {
                self.batcher.add(&shared.models, &task.binding, schema, &task.key, &task.row, waiting)
            }
            None => Err(Error::internal("a plain map has a binding")),
        };
        if let Err(error) = added {
            let input = Input::Scored { ticket: waiting.ticket, result: Err(error) };
            self.units[unit].core.handle(now, input, &mut self.effects);
        }
    }

    /// Runs what the tick gathered, until nothing waits: a score can let the next write of its key in.
    fn run_batches(&mut self, shared: &Arc<Shared>, now: Now) {
        loop {
            let batches: Vec<Batch<Waiting>> = self.batcher.take().collect();
            if batches.is_empty() {
                return;
            }
            for batch in batches {
                if batch.model().cost_us(batch.rows()) > shared.inline_us {
                    self.run_on_pool(shared, batch);
                } else {
                    for (waiting, result) in shared.run_batch(batch) {
                        self.feed_core(
                            shared,
                            now,
                            waiting.unit,
                            Input::Scored { ticket: waiting.ticket, result },
                        );
                    }
                }
            }
        }
    }

    fn run_on_pool(&self, shared: &Arc<Shared>, batch: Batch<Waiting>) {
        let (number, node) = (self.number, shared.clone());
        shared.pool.run(move || {
            let scores = node.run_batch(batch);
            node.post_to(number, Message::Scored(scores));
        });
    }

    fn serve_feeds(&mut self, shared: &Arc<Shared>) {
        while let Some(unit) = self.published.pop() {
            let Some(Unit { partition, core, feed, published }) = self.units.get_mut(unit) else { continue };
            *published = false;
            let reader = core.reader();
            feed.advance(&Source { log: core.log(), reader: &reader }, &mut self.events);
            shared.subscribers.deliver(*partition, &mut self.events);
        }
    }

    fn feed_feed(&mut self, shared: &Arc<Shared>, unit: usize, input: feed::Input) {
        let Some(Unit { partition, core, feed, .. }) = self.units.get_mut(unit) else { return };
        let reader = core.reader();
        feed.handle(input, &Source { log: core.log(), reader: &reader }, &mut self.events);
        shared.subscribers.deliver(*partition, &mut self.events);
    }

    fn bookmark(&mut self, shared: &Arc<Shared>) {
        for unit in 0..self.units.len() {
            if !self.units[unit].feed.is_idle() {
                self.feed_feed(shared, unit, feed::Input::Bookmark);
            }
        }
    }

    /// Says that every partition of this worker has cut over to the catalogue version.
    fn adopted(&self, shared: &Arc<Shared>, version: CatalogueVersion) {
        if let Some(status) = shared.status.get(self.number) {
            status.adopted.store(version.0, Ordering::Release);
            shared.adopted.notify_waiters();
        }
    }

    /// Lets the clock task know when this worker has to be woken.
    fn publish_deadline(&self, shared: &Arc<Shared>) {
        let due = self.units.iter().filter_map(|unit| unit.core.next_deadline()).min();
        if let Some(status) = shared.status.get(self.number) {
            status.deadline_us.store(due.unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}
