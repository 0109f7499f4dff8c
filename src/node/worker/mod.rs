//! A worker: the owner of a share of the partitions. It feeds the cores and performs their effects.
//!
//! - [`unit`]: one partition in a worker's hands;
//! - [`placement`]: replicas come and go with the configurations;
//! - [`scores`]: rows that wait for scores;
//! - [`outgoing`]: what a tick has to say to other nodes.

mod outgoing;
mod placement;
mod scores;
mod unit;

use std::sync::{Arc, Weak, atomic::Ordering};

use smallvec::SmallVec;
use tokio::sync::oneshot;

use self::{outgoing::Outgoing, unit::Unit};
use super::{
    combiner::Owner, connection::Deliveries, primaries::Primaries, proposals::Proposed, shared::Shared,
};
use crate::{
    binding::Scores,
    catalog::Catalogue,
    feed,
    partition::{Account, Core, Effect, Frame, Input, JobBatch, Origin, Request, Ticket, View},
    scoring::Batcher,
    store::GLANCES,
    types::{CatalogueVersion, Epoch, JoinId, Now, PartitionId, Result, SessionId},
};

/// What a worker is asked to do.
#[derive(Debug)]
pub(super) enum Message {
    /// An operation of a client.
    Request(PartitionId, Request),
    /// Rows that a job has scored.
    Job(PartitionId, JobBatch),
    /// What became of rows that were scored elsewhere.
    Scored(Vec<(Waiting, Result<Scores>)>),
    /// What other nodes say.
    Frames(Vec<Frame>),
    /// Who holds the partitions.
    Placement(Arc<Catalogue>),
    /// The catalogue moved.
    View(Arc<View>),
    /// What this node holds alone may be read until then.
    Lease { until_us: u64 },
    /// A learner was proposed in that epoch, and will not be admitted by it.
    Refused { partition: PartitionId, epoch: Epoch, join: JoinId },
    /// A session is over.
    EndSession(SessionId),
    /// Something may be due.
    Tick,
    /// Idle subscribers are to be told how far they are.
    Bookmark,
    /// A subscriber's part.
    Feed(PartitionId, feed::Input),
    /// How far are the replicas of the partitions that are led here?
    Account(oneshot::Sender<Vec<Account>>),
}

/// Whose score it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    unit: usize,
    ticket: Ticket,
}

/// The owner of every `stride`-th partition.
pub(super) struct Worker {
    number: usize,
    stride: usize,
    /// Weak: the node holds its workers, not they the node.
    shared: Weak<Shared>,
    units: Vec<Unit>,
    /// When each unit's core has to be woken, on the node's clock.
    due_us: Vec<u64>,
    /// The catalogue as the node last compiled it.
    view: Arc<View>,
    batcher: Batcher<Waiting>,
    deliveries: Deliveries,
    outgoing: Outgoing,
    proposed: Vec<Proposed>,
    /// Filled and emptied within a call; kept for their capacity.
    effects: Vec<Effect>,
    events: Vec<feed::Effect>,
    /// The units whose cores took an input in this tick.
    touched: Vec<usize>,
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
        self.flush(&shared, now);
        self.serve_feeds(&shared);
        self.deliveries.flush(&shared.connections);
        self.publish_deadline(&shared);
    }
}

impl Worker {
    /// Worker `number` of `stride`, which has no replica yet.
    pub(super) fn new(number: usize, stride: usize, partitions: u16, shared: Weak<Shared>) -> Self {
        let units: Vec<Unit> =
            (0..partitions).map(PartitionId).skip(number).step_by(stride).map(Unit::empty).collect();
        Worker {
            number,
            stride,
            shared,
            due_us: vec![u64::MAX; units.len()],
            units,
            view: Arc::default(),
            batcher: Batcher::default(),
            deliveries: Deliveries::default(),
            outgoing: Outgoing::default(),
            proposed: Vec::new(),
            effects: Vec::new(),
            events: Vec::new(),
            touched: Vec::new(),
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
                Some((&self.units[self.unit(partition)].replica.as_ref()?.core, request))
            }
            _ => None,
        };
        let requests: SmallVec<[_; GLANCES]> = messages.iter().filter_map(request).collect();
        Core::warm(&requests);
    }

    fn dispatch(&mut self, shared: &Arc<Shared>, now: Now, message: Message) {
        match message {
            Message::Request(partition, request) => {
                self.ask_core(shared, now, partition, request.origin, Input::Request(request));
            }
            Message::Job(partition, batch) => {
                self.ask_core(shared, now, partition, batch.origin, Input::Job(batch));
            }
            Message::Scored(scores) => {
                for (waiting, result) in scores {
                    self.feed_core(shared, now, waiting.unit, waiting.scored(result));
                }
            }
            Message::Frames(frames) => {
                for frame in frames {
                    self.feed_core(shared, now, self.unit(frame.partition), Input::Frame(frame));
                }
            }
            Message::Placement(catalogue) => self.follow_placement(shared, now, &catalogue),
            Message::View(view) => {
                let version = view.version;
                self.view = view.clone();
                self.feed_all(shared, now, || Input::View(view.clone()));
                self.adopted(shared, version);
            }
            Message::Lease { until_us } => self.feed_all(shared, now, || Input::Lease { until_us }),
            Message::Refused { partition, epoch, join } => {
                self.feed_core(shared, now, self.unit(partition), Input::Refused { epoch, join });
            }
            Message::EndSession(session) => self.feed_all(shared, now, || Input::EndSession(session)),
            Message::Tick => self.feed_due(shared, now),
            Message::Bookmark => self.bookmark(shared),
            Message::Feed(partition, input) => self.feed_feed(shared, self.unit(partition), input),
            Message::Account(answer) => {
                let replicas = self.units.iter().filter_map(|unit| unit.replica.as_ref());
                // Whoever asked may be gone.
                let _ = answer.send(replicas.filter_map(|replica| replica.core.account()).collect());
            }
        }
    }

    fn unit(&self, partition: PartitionId) -> usize {
        usize::from(partition.0) / self.stride
    }

    /// Hands a core what is to be answered; where there is none, whoever asks is sent on.
    fn ask_core(
        &mut self,
        shared: &Arc<Shared>,
        now: Now,
        partition: PartitionId,
        origin: Origin,
        input: Input,
    ) {
        let unit = self.unit(partition);
        if self.units.get(unit).is_some_and(|unit| unit.replica.is_some()) {
            return self.feed_core(shared, now, unit, input);
        }
        let refusal = Primaries::elsewhere(partition, shared.primaries.load().node(partition));
        self.deliveries.push(&shared.connections, origin, Err(refusal));
    }

    fn feed_all(&mut self, shared: &Arc<Shared>, now: Now, input: impl Fn() -> Input) {
        for unit in 0..self.units.len() {
            if self.units[unit].replica.is_some() {
                self.feed_core(shared, now, unit, input());
            }
        }
    }

    /// Wakes the cores whose deadline has come.
    fn feed_due(&mut self, shared: &Arc<Shared>, now: Now) {
        for unit in 0..self.units.len() {
            if self.due_us[unit] <= now.mono_us {
                self.feed_core(shared, now, unit, Input::Tick);
            }
        }
    }

    /// Hands an input to a partition's core; without one nobody is concerned.
    fn feed_core(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, input: Input) {
        let Some(Unit { replica: Some(replica), is_touched, .. }) = self.units.get_mut(unit) else { return };
        if !std::mem::replace(is_touched, true) {
            self.touched.push(unit);
        }
        replica.core.handle(now, input, &mut self.effects);
        self.perform_all(shared, now, unit);
    }

    fn perform_all(&mut self, shared: &Arc<Shared>, now: Now, unit: usize) {
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
            Effect::Forward { to, request } => {
                let refusal = Primaries::elsewhere(self.units[unit].partition, Some(to));
                self.deliveries.push(&shared.connections, request.origin, Err(refusal));
            }
            Effect::Publish(_) => {
                if self.units[unit].publish() {
                    self.published.push(unit);
                }
            }
            Effect::Score(task) => self.gather(shared, now, unit, task),
            Effect::Send { to, frame } => self.outgoing.add(to.node, frame),
            Effect::Propose { partition, generation, epoch, change } => {
                self.proposed.push(Proposed { partition, generation, epoch, change });
            }
            Effect::Differ(difference) => {
                shared.metrics.differences().add(1);
                tracing::error!(
                    partition = difference.partition.0,
                    position = %difference.at,
                    "the replicas of a partition hold different rows, and too few are left to tell which are right: \
                     `embergrid cluster status --partitions` names them; what the primary holds is served"
                );
            }
        }
    }

    /// The tick is over: the cores that it concerned say what they have to say, in one message a node.
    fn flush(&mut self, shared: &Arc<Shared>, now: Now) {
        let mut touched = std::mem::take(&mut self.touched);
        for unit in touched.drain(..) {
            self.units[unit].is_touched = false;
            let Some(replica) = &mut self.units[unit].replica else { continue };
            if replica.core.is_to_flush() {
                replica.core.flush(now, &mut self.effects);
                self.perform_all(shared, now, unit);
            }
            let due = self.units[unit].replica.as_ref().and_then(|replica| replica.core.next_deadline());
            self.due_us[unit] = due.unwrap_or(u64::MAX);
        }
        self.touched = touched;
        self.outgoing.send(shared.net.as_ref(), self.number);
        for proposed in self.proposed.drain(..) {
            shared.propose(proposed);
        }
    }

    fn serve_feeds(&mut self, shared: &Arc<Shared>) {
        while let Some(unit) = self.published.pop() {
            let Some(unit) = self.units.get_mut(unit) else { continue };
            unit.serve_feed(&mut self.events);
            shared.subscribers.deliver(unit.partition, &mut self.events);
        }
    }

    fn feed_feed(&mut self, shared: &Arc<Shared>, unit: usize, input: feed::Input) {
        let Some(unit) = self.units.get_mut(unit) else { return };
        unit.handle_feed(input, shared.clock.mono_us(), &shared.primaries, &mut self.events);
        shared.subscribers.deliver(unit.partition, &mut self.events);
    }

    fn bookmark(&mut self, shared: &Arc<Shared>) {
        for unit in 0..self.units.len() {
            if self.units[unit].has_subscribers() {
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
        if let Some(status) = shared.status.get(self.number) {
            let due_us = self.due_us.iter().copied().min().unwrap_or(u64::MAX);
            status.deadline_us.store(due_us, Ordering::Relaxed);
        }
    }
}

impl Waiting {
    fn scored(self, result: Result<Scores>) -> Input {
        Input::Scored { ticket: self.ticket, result }
    }
}
