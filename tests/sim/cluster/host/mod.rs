//! One start of a node: the real cores, feeds and supervisor, and as little around them as `node` has.
//!
//! The worker takes what has gathered in its mailbox, feeds the cores, flushes those it touched, and serves their feeds;
//! the supervision hands the worker each placement, and after it what follows from it.

mod placement;
mod sessions;
mod supervision;
mod unit;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use embergrid::binding::Scores;
use embergrid::catalog::supervisor::{Grant, Settings, Supervisor};
use embergrid::catalog::{Catalogue, Command};
use embergrid::feed::{self, SubscriberId};
use embergrid::partition::{
    Core, Difference, Effect, Entry, Frame, Input, Limits, Origin, Outcome, Request, ScoreTask, Ticket,
    Timing, View,
};
use embergrid::store::Reader;
use embergrid::types::{
    Class, Epoch, Error, Incarnation, JoinId, NodeId, Now, PartitionId, PlacementVersion, SessionId,
};

use super::clock::Clock;
use super::control::Asker;
use super::oracle::silence::Vigil;
pub(crate) use supervision::{BEACON_EVERY_US, Told};
use unit::Unit;

/// What the worker is asked to do.
#[derive(Debug)]
pub(crate) enum Message {
    Request(PartitionId, Request),
    Scored(Vec<(PartitionId, Ticket, Result<Scores, Error>)>),
    Frames(Vec<Frame>),
    Placement(Arc<Catalogue>),
    View(Arc<View>),
    Lease { until_us: u64 },
    Refused { partition: PartitionId, epoch: Epoch, join: JoinId },
    EndSession(SessionId),
    Tick,
    Bookmark,
    Subscribe(PartitionId, Subscription),
    Credit(PartitionId, SubscriberId, u32),
    Cancel(PartitionId, SubscriberId),
}

/// What a subscriber asks for.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriberId,
    pub(crate) map: &'static str,
    pub(crate) condition: Option<&'static str>,
    pub(crate) start: feed::Start,
    pub(crate) credits: u32,
}

/// What the node does to the world.
#[derive(Debug)]
pub(crate) enum Out {
    Frames {
        to: NodeId,
        frames: Vec<Frame>,
    },
    Told {
        to: NodeId,
        told: Told,
    },
    Reply {
        origin: Origin,
        answer: Result<Outcome, Error>,
        at_once: bool,
    },
    /// A request is for another node, to which the primary's role was handed as of this placement.
    Forward {
        partition: PartitionId,
        to: NodeId,
        request: Request,
        placement: PlacementVersion,
    },
    Published {
        partition: PartitionId,
        entry: Arc<Entry>,
    },
    /// What one tick has for the models.
    Score(Vec<(PartitionId, ScoreTask)>),
    Feed {
        partition: PartitionId,
        effect: feed::Effect,
    },
    /// A subscriber is told that it missed something which the log has still.
    Needless {
        partition: PartitionId,
        id: SubscriberId,
        why: String,
    },
    Propose {
        by: Asker,
        command: Box<Command>,
    },
    Confirm {
        round: u64,
    },
    /// Replicas hold different rows.
    Differ(Difference),
}

/// What never changes while it runs.
pub(crate) struct Setup {
    pub(crate) node: NodeId,
    pub(crate) incarnation: Incarnation,
    pub(crate) limits: Limits,
    pub(crate) timing: Timing,
    pub(crate) settings: Settings,
}

/// One start of a node.
pub(crate) struct Host {
    pub(crate) setup: Setup,
    units: Vec<Unit>,
    view: Arc<View>,
    mailbox: Vec<Message>,
    touched: Vec<usize>,
    published: Vec<usize>,
    frames: BTreeMap<NodeId, Vec<Frame>>,
    tasks: Vec<(PartitionId, ScoreTask)>,
    /// By partition; none where this node is not the primary.
    readers: Vec<Option<Reader>>,
    /// The catalogue as applied here.
    catalogue: Arc<Catalogue>,
    /// Where each partition's primary is, as of a placement.
    primaries: Vec<Option<NodeId>>,
    placement: PlacementVersion,
    supervisor: Supervisor,
    pub(crate) vigil: Vigil,
    early: Option<Grant>,
    /// What the primaries want of the control group.
    proposed: Vec<supervision::Proposed>,
    /// What they have asked for and not heard of.
    asked: Vec<supervision::Proposed>,
    /// Ids that no session has.
    sessions: VecDeque<SessionId>,
    /// More of them are asked for.
    wants_sessions: bool,
    /// Entries that were dropped for others.
    pub(crate) truncated: u64,
    pub(crate) overruns: u64,
}

impl Host {
    /// A node that has just started: it holds nothing, and knows the catalogue in which its start is recorded.
    pub(crate) fn new(setup: Setup, partitions: u16, view: Arc<View>) -> Self {
        Host {
            units: (0..partitions).map(PartitionId).map(Unit::empty).collect(),
            view,
            mailbox: Vec::new(),
            touched: Vec::new(),
            published: Vec::new(),
            frames: BTreeMap::new(),
            tasks: Vec::new(),
            readers: vec![None; usize::from(partitions)],
            catalogue: Arc::default(),
            primaries: vec![None; usize::from(partitions)],
            placement: PlacementVersion(0),
            supervisor: Supervisor::new(setup.node, setup.settings),
            vigil: Vigil::default(),
            early: None,
            proposed: Vec::new(),
            asked: Vec::new(),
            sessions: VecDeque::new(),
            wants_sessions: false,
            truncated: 0,
            overruns: 0,
            setup,
        }
    }

    pub(crate) fn has_mail(&self) -> bool {
        !self.mailbox.is_empty()
    }

    pub(crate) fn post(&mut self, message: Message) {
        self.mailbox.push(message);
    }

    /// What reads the partition, if this node is its primary as far as it knows.
    pub(crate) fn reader(&self, partition: PartitionId) -> Result<Reader, Error> {
        let reader = self.readers[usize::from(partition.0)].clone();
        reader.ok_or_else(|| elsewhere(partition, self.primary(partition)))
    }

    pub(crate) fn primary(&self, partition: PartitionId) -> Option<NodeId> {
        self.primaries[usize::from(partition.0)]
    }

    pub(crate) fn core(&self, partition: PartitionId) -> Option<&Core> {
        self.units[usize::from(partition.0)].replica.as_ref().map(|replica| &replica.core)
    }

    pub(crate) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// When the worker has to be woken, on the node's clock.
    pub(crate) fn deadline_us(&self) -> Option<u64> {
        self.units.iter().filter_map(|unit| unit.due_us).min()
    }

    /// One tick of the worker.
    pub(crate) fn work(&mut self, clock: &Clock, now_us: u64, out: &mut Vec<Out>) {
        let now = clock.now(now_us);
        for message in std::mem::take(&mut self.mailbox) {
            self.dispatch(now, message, out);
        }
        if !self.tasks.is_empty() {
            out.push(Out::Score(std::mem::take(&mut self.tasks)));
        }
        self.flush(now, out);
        while let Some(unit) = self.published.pop() {
            self.units[unit].serve_feed(out);
        }
        self.ask(out);
    }

    fn dispatch(&mut self, now: Now, message: Message, out: &mut Vec<Out>) {
        match message {
            Message::Request(partition, request) => self.request(now, partition, request, out),
            Message::Scored(scores) => {
                for (partition, ticket, result) in scores {
                    self.feed(now, partition, Input::Scored { ticket, result }, out);
                }
            }
            Message::Frames(frames) => {
                for frame in frames {
                    self.feed(now, frame.partition, Input::Frame(frame), out);
                }
            }
            Message::Placement(catalogue) => self.follow_placement(now, &catalogue, out),
            // They come one after the other, whatever the delays of each here.
            Message::View(view) if view.version <= self.view.version => {}
            Message::View(view) => {
                self.view = view.clone();
                self.feed_all(now, || Input::View(view.clone()), out);
            }
            Message::Lease { until_us } => self.feed_all(now, || Input::Lease { until_us }, out),
            Message::Refused { partition, epoch, join } => {
                self.feed(now, partition, Input::Refused { epoch, join }, out);
            }
            Message::EndSession(session) => self.feed_all(now, || Input::EndSession(session), out),
            Message::Tick => self.feed_due(now, out),
            Message::Bookmark => self.units.iter_mut().for_each(|unit| unit.bookmark(out)),
            Message::Subscribe(partition, subscription) => {
                let primary = self.primary(partition);
                self.units[usize::from(partition.0)].subscribe(
                    subscription,
                    &self.view,
                    now.mono_us,
                    primary,
                    out,
                );
            }
            Message::Credit(partition, id, events) => {
                self.units[usize::from(partition.0)].feed(feed::Input::Credit { id, events }, out);
            }
            Message::Cancel(partition, id) => {
                self.units[usize::from(partition.0)].feed(feed::Input::Cancel { id }, out);
            }
        }
        self.overruns += self.units.iter_mut().map(|unit| std::mem::take(&mut unit.overruns)).sum::<u64>();
    }

    fn request(&mut self, now: Now, partition: PartitionId, request: Request, out: &mut Vec<Out>) {
        let (origin, from) = (request.origin, out.len());
        if self.core(partition).is_none() {
            let answer = Err(elsewhere(partition, self.primary(partition)));
            return out.push(Out::Reply { origin, answer, at_once: true });
        }
        self.feed(now, partition, Input::Request(request), out);
        for reply in &mut out[from..] {
            if let Out::Reply { origin: of, at_once, .. } = reply {
                *at_once = *of == origin;
            }
        }
    }

    fn feed_all(&mut self, now: Now, input: impl Fn() -> Input, out: &mut Vec<Out>) {
        for partition in (0..self.units.len() as u16).map(PartitionId) {
            self.feed(now, partition, input(), out);
        }
    }

    fn feed_due(&mut self, now: Now, out: &mut Vec<Out>) {
        for partition in (0..self.units.len() as u16).map(PartitionId) {
            if self.units[usize::from(partition.0)].due_us.is_some_and(|due_us| due_us <= now.mono_us) {
                self.feed(now, partition, Input::Tick, out);
            }
        }
    }

    /// Hands an input to a partition's core; without one nobody is concerned.
    fn feed(&mut self, now: Now, partition: PartitionId, input: Input, out: &mut Vec<Out>) {
        let at = usize::from(partition.0);
        let unit = &mut self.units[at];
        let Some(replica) = &mut unit.replica else { return };
        if !std::mem::replace(&mut unit.is_touched, true) {
            self.touched.push(at);
        }
        let before = (replica.core.position(), replica.core.end());
        let mut effects = Vec::new();
        replica.core.handle(now, input, &mut effects);
        let (committed, end) = (replica.core.position(), replica.core.end());
        let is_cut =
            before.1 > before.0 && end != before.1 && end.seq <= before.1.seq && committed == before.0;
        self.truncated += u64::from(is_cut);
        self.perform(at, effects, out);
    }

    fn perform(&mut self, at: usize, effects: Vec<Effect>, out: &mut Vec<Out>) {
        let partition = PartitionId(at as u16);
        for effect in effects {
            match effect {
                Effect::Reply { origin, answer } => out.push(Out::Reply { origin, answer, at_once: false }),
                Effect::Forward { to, request } => {
                    out.push(Out::Forward { partition, to, request, placement: self.placement });
                }
                Effect::Publish(entry) => {
                    if self.units[at].publish() {
                        self.published.push(at);
                    }
                    out.push(Out::Published { partition, entry });
                }
                Effect::Score(task) => self.tasks.push((partition, task)),
                Effect::Send { to, frame } => self.frames.entry(to.node).or_default().push(frame),
                Effect::Propose { partition, generation, epoch, change } => {
                    self.proposed.push(supervision::Proposed { partition, generation, epoch, change });
                }
                Effect::Differ(difference) => out.push(Out::Differ(difference)),
            }
        }
    }

    /// The tick is over: the cores that it concerned say what they have to say, in one message a node.
    fn flush(&mut self, now: Now, out: &mut Vec<Out>) {
        for at in std::mem::take(&mut self.touched) {
            self.units[at].is_touched = false;
            let Some(replica) = &mut self.units[at].replica else { continue };
            let mut effects = Vec::new();
            if replica.core.is_to_flush() {
                replica.core.flush(now, &mut effects);
            }
            self.units[at].due_us = replica.core.next_deadline();
            self.perform(at, effects, out);
        }
        let frames = std::mem::take(&mut self.frames);
        out.extend(frames.into_iter().map(|(to, frames)| Out::Frames { to, frames }));
    }
}

/// The refusal of whoever asks here for a partition that is elsewhere, or nowhere.
pub(crate) fn elsewhere(partition: PartitionId, primary: Option<NodeId>) -> Error {
    match primary {
        Some(_) => Error::new(Class::NotPrimary, format!("partition {partition} is led elsewhere")),
        None => Error::unavailable(format!("partition {partition} is lost")),
    }
}
