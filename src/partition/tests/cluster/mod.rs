//! Replicas on hosts of their own, a bag of frames between them, and nothing that happens by itself.

mod chaos;
mod clients;
mod compare;
mod control;
mod dice;
mod eligible;
mod fill;
mod frames;
mod handover;
mod history;
mod host;
mod jobs;
mod leases;
mod promotion;
mod removal;
mod tails;
mod unions;

use std::sync::Arc;

pub(crate) use control::{Command, Control};
pub(crate) use history::History;
pub(crate) use host::Host;

use super::bench::*;
use crate::{
    partition::{
        Body, Difference, Effect, Frame, Input, Origin, Outcome, Proposal, Request, ScoreTask, Timing, View,
    },
    store::{NotServing, Record},
    types::{Epoch, Error, Generation, JoinId, MapId, NodeId},
};

/// A frame on its way.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) frame: Frame,
}

/// A proposal on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Proposed {
    pub(crate) by: NodeId,
    pub(crate) generation: Generation,
    pub(crate) epoch: Epoch,
    pub(crate) change: Proposal,
}

pub(crate) struct Cluster {
    pub(crate) now_us: u64,
    pub(crate) timing: Timing,
    pub(crate) view: Arc<View>,
    pub(crate) control: Control,
    pub(crate) hosts: Vec<Host>,
    pub(crate) bag: Vec<Letter>,
    pub(crate) proposed: Vec<Proposed>,
    pub(crate) replies: Vec<(Origin, Result<Outcome, Error>)>,
    pub(crate) scores: Vec<(NodeId, ScoreTask)>,
    pub(crate) forwarded: Vec<(NodeId, Request)>,
    pub(crate) differences: Vec<Difference>,
    pub(crate) history: History,
}

impl Cluster {
    /// As many hosts, the first of them in sync from the beginning; the first one is the primary. Nothing was said yet.
    pub(crate) fn silent(hosts: u64, in_sync: u64, min_in_sync: usize, view: Arc<View>) -> Self {
        let control = Control::new(in_sync, min_in_sync);
        let mut cluster = Cluster {
            now_us: 1_000,
            timing: Timing::default(),
            view,
            hosts: (1..=hosts).map(|node| Host::new(NodeId(node), min_in_sync)).collect(),
            control,
            bag: Vec::new(),
            proposed: Vec::new(),
            replies: Vec::new(),
            scores: Vec::new(),
            forwarded: Vec::new(),
            differences: Vec::new(),
            history: History::default(),
        };
        for node in 1..=hosts {
            cluster.configure(node);
        }
        cluster
    }

    /// The same, and all that has to be said before the first request was said.
    pub(crate) fn new(hosts: u64, in_sync: u64, min_in_sync: usize) -> Self {
        let view = View::compile(&Bench::bound("").catalogue).unwrap();
        let mut cluster = Cluster::silent(hosts, in_sync, min_in_sync, Arc::new(view));
        cluster.settle();
        cluster
    }

    pub(crate) fn host(&mut self, node: u64) -> &mut Host {
        &mut self.hosts[node as usize - 1]
    }

    /// Hands an input to a host's replica, and does what it wants done; its tick goes on.
    pub(crate) fn input(&mut self, node: u64, input: Input) {
        let now_us = self.now_us;
        let mut effects = Vec::new();
        self.host(node).handle(now_us, input, &mut effects);
        self.perform(NodeId(node), effects);
    }

    /// The host's tick is over.
    pub(crate) fn flush(&mut self, node: u64) {
        let now_us = self.now_us;
        let mut effects = Vec::new();
        self.host(node).flush(now_us, &mut effects);
        self.perform(NodeId(node), effects);
    }

    /// A request of a client, and the end of the tick.
    pub(crate) fn request(&mut self, node: u64, request: Request) {
        self.input(node, Input::Request(request));
        self.flush(node);
    }

    fn perform(&mut self, by: NodeId, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { to, frame } => self.bag.push(Letter { from: by, to: to.node, frame }),
                Effect::Propose { generation, epoch, change, .. } => {
                    self.proposed.push(Proposed { by, generation, epoch, change });
                }
                Effect::Publish(entry) => self.history.publish(&entry),
                Effect::Reply { origin, answer } => self.replies.push((origin, answer)),
                Effect::Score(task) => self.scores.push((by, task)),
                Effect::Forward { to, request } => self.forwarded.push((to, request)),
                Effect::Differ(difference) => self.differences.push(difference),
            }
        }
    }

    /// The host hears of the latest configuration.
    pub(crate) fn configure(&mut self, node: u64) {
        let upto = self.control.configurations.len();
        self.configure_upto(node, upto);
    }

    /// The host hears of a configuration, and of none in between.
    pub(crate) fn configure_upto(&mut self, node: u64, upto: usize) {
        let configuration = self.control.configurations[upto - 1].clone();
        let (now_us, view) = (self.now_us, self.view.clone());
        let mut effects = Vec::new();
        self.host(node).configure(now_us, upto, &configuration, &view, &mut effects);
        self.perform(NodeId(node), effects);
    }

    /// Everybody hears of the latest configuration.
    pub(crate) fn configure_all(&mut self) {
        (1..=self.hosts.len() as u64).for_each(|node| self.configure(node));
    }

    /// The control leader lets the node serve alone.
    pub(crate) fn grant(&mut self, node: u64) {
        let lease_us = self.control.grant(NodeId(node), self.now_us, &self.timing);
        let until_us = self.hosts[node as usize - 1].mono_us(self.now_us) + lease_us;
        self.input(node, Input::Lease { until_us });
    }

    /// Delivers one frame.
    pub(crate) fn deliver(&mut self, letter: Letter) {
        self.input(letter.to.0, Input::Frame(letter.frame));
    }

    /// Delivers the frames in the bag for which `is_wanted`, in order; what they bring about stays in the bag.
    pub(crate) fn deliver_if(&mut self, is_wanted: impl Fn(&Letter) -> bool) -> usize {
        let (wanted, others): (Vec<_>, Vec<_>) = self.bag.drain(..).partition(is_wanted);
        self.bag = others;
        let count = wanted.len();
        for letter in wanted {
            let to = letter.to.0;
            self.deliver(letter);
            self.flush(to);
        }
        count
    }

    /// Drops the frames for which `is_unwanted`.
    pub(crate) fn lose_if(&mut self, is_unwanted: impl Fn(&Letter) -> bool) -> usize {
        let before = self.bag.len();
        self.bag.retain(|letter| !is_unwanted(letter));
        before - self.bag.len()
    }

    /// Hands on what was forwarded, to hosts that have heard of the latest configuration.
    pub(crate) fn forward(&mut self) {
        for (to, request) in std::mem::take(&mut self.forwarded) {
            self.request(to.0, request);
        }
    }

    /// Delivers everything, and all that follows from it, without time passing. Proposals stay where they are.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            (1..=self.hosts.len() as u64).for_each(|node| self.flush(node));
            if self.bag.is_empty() {
                return;
            }
            self.deliver_if(|_| true);
        }
        panic!("it does not come to rest: {:?}", self.bag);
    }

    /// Time passes on all hosts; whatever is due is done, frames stay in the bag.
    pub(crate) fn pass(&mut self, us: u64) {
        self.now_us += us;
        for node in 1..=self.hosts.len() as u64 {
            self.input(node, Input::Tick);
            self.flush(node);
        }
    }

    /// Time passes in small steps, and everything is delivered.
    pub(crate) fn live(&mut self, us: u64) {
        let until_us = self.now_us + us;
        while self.now_us < until_us {
            self.pass(10_000.min(until_us - self.now_us));
            self.settle();
        }
    }

    /// What the control group makes of the oldest proposal.
    pub(crate) fn decide(&mut self) -> bool {
        let Proposed { generation, epoch, change, .. } = self.proposed.remove(0);
        self.control.propose(generation, epoch, change)
    }

    pub(crate) fn command(&mut self, command: Command) {
        assert!(self.control.command(command, self.now_us), "{command:?}");
    }

    /// What the host's present reader gives.
    pub(crate) fn read(&mut self, node: u64, map: MapId, key: &str) -> Result<Option<Record>, NotServing> {
        let now_us = self.now_us;
        let host = self.host(node);
        let mono_us = host.mono_us(now_us);
        let reader = host.core.as_ref().unwrap().reader();
        reader.read(map, self::key(key).packed(), || mono_us)
    }

    /// The replies so far, as lines.
    pub(crate) fn replied(&mut self) -> Vec<String> {
        let replies = self.replies.drain(..);
        replies.map(|(origin, answer)| line(&Effect::Reply { origin, answer })).collect()
    }

    /// The bag as lines: sender, receiver, body.
    pub(crate) fn frames(&self) -> Vec<String> {
        let line =
            |letter: &Letter| format!("{}>{} {}", letter.from, letter.to, body_line(&letter.frame.body));
        self.bag.iter().map(line).collect()
    }

    pub(crate) fn is_serving(&self, node: u64) -> bool {
        self.hosts[node as usize - 1].core.as_ref().is_some_and(crate::partition::Core::is_serving)
    }

    /// All replicas of the configuration hold the same.
    pub(crate) fn assert_equal(&self) {
        let latest = self.control.latest();
        let replicas = latest.in_sync.iter().chain(&latest.learners);
        let held = |node: NodeId| {
            let core = self.hosts[node.0 as usize - 1].core.as_ref().unwrap();
            (core.position(), core.end(), core.checksum(), core.answer_bytes())
        };
        let held: Vec<_> = replicas.map(|replica| held(replica.node)).collect();
        assert!(held.windows(2).all(|pair| pair[0] == pair[1]), "{held:?}");
    }
}

pub(crate) fn is_beacon(letter: &Letter) -> bool {
    matches!(letter.frame.body, Body::Beacon { .. } | Body::Lease { .. })
}

pub(crate) fn to(node: u64) -> impl Fn(&Letter) -> bool {
    move |letter| letter.to == NodeId(node)
}

/// From one of them to the other.
pub(crate) fn between(a: u64, b: u64) -> impl Fn(&Letter) -> bool {
    move |letter| [(a, b), (b, a)].contains(&(letter.from.0, letter.to.0))
}

pub(crate) fn join_of(cluster: &Cluster, node: u64) -> JoinId {
    cluster.control.latest().replica_at(NodeId(node)).unwrap().join
}
