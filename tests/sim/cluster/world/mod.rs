//! The scheduler: what happens, when, to whom.

mod clients;
mod connections;
mod control;
mod forwards;
mod heal;
mod nodes;
mod reads;
mod relay;
mod service;
mod streams;
mod subscribers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use embergrid::catalog::supervisor::Settings;
use embergrid::catalog::{Founding, Node};
use embergrid::feed::SubscriberId;
use embergrid::partition::{Limits, Timing, View};
use embergrid::types::{Incarnation, NodeId, PartitionId, SessionId};

use super::clients::{self as users, Client};
use super::clock::Clock;
use super::connection::WINDOW;
use super::control::Control;
use super::events::{ClientEvent, ControlEvent, Event, SubscriberEvent};
use super::host::Out;
use super::machine::Machine;
use super::network::{Network, Place};
use super::oracle::{Oracles, Verdict, feeds::About};
use super::owed::Owing;
use super::seen::Seen;
use super::stream::{Stream, StreamId};
use super::subscriber::Subscriber;
use crate::dice::Dice;
use crate::grid;

/// Nodes that found the cluster, and vote in its control group.
pub(super) const FOUNDERS: u64 = 3;
/// Nodes that the cluster has at most.
pub(super) const NODES: u64 = 5;
pub(super) const PARTITIONS: u16 = 4;

/// What a run is to show, and how long it is.
#[derive(Clone)]
pub(crate) struct Plan {
    /// How long things go wrong, in virtual time.
    pub(crate) storm_us: u64,
    /// A client does something this often, at most.
    pub(crate) pause_us: u64,
    /// Rows are read without a look at the lease.
    pub(crate) unchecked_reads: bool,
    /// Clients break the rule that makes retries safe.
    pub(crate) new_numbers: bool,
    /// Now and then, the model is wrong.
    pub(crate) wrong_scores: bool,
    /// Nothing goes wrong: nodes join and drain, and no write may be refused for it.
    pub(crate) only_moves: bool,
    /// What matters most is told on stderr.
    pub(crate) is_told: bool,
}

impl Plan {
    /// As long as a run has to be to count.
    pub(crate) fn full() -> Self {
        Plan {
            storm_us: 14_000_000,
            pause_us: 30_000,
            unchecked_reads: false,
            new_numbers: false,
            wrong_scores: false,
            only_moves: false,
            is_told: false,
        }
    }

    /// Short enough to be tried at every change.
    pub(crate) fn short() -> Self {
        Plan { storm_us: 6_000_000, pause_us: 50_000, ..Plan::full() }
    }
}

/// One run.
pub(crate) struct World {
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) now_us: u64,
    /// By time, then by the order of scheduling.
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    pub(super) machines: Vec<Machine>,
    pub(super) network: Network,
    pub(super) control: Control,
    clients: Vec<Client>,
    /// Between clients and nodes.
    streams: BTreeMap<StreamId, Stream>,
    last_stream: u64,
    /// Sessions that are over.
    over: BTreeSet<SessionId>,
    pub(super) owing: Owing,
    subscribers: Vec<Subscriber>,
    /// Which subscriber's stream it is.
    links: BTreeMap<SubscriberId, (usize, PartitionId)>,
    pub(super) oracles: Oracles,
    /// What the clients pack rows by.
    view: Arc<View>,
    limits: Limits,
    timing: Timing,
    settings: Settings,
    pub(super) seen: Seen,
    /// The versions of the model so far.
    pub(super) version: u32,
    pub(super) is_calm: bool,
    /// Nodes may see a placement without those before it.
    pub(super) skips: bool,
}

impl World {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let mut dice = Dice::new(seed);
        let backup_count = 1 + dice.below(2) as u8;
        let min_in_sync = 1 + dice.below(u64::from(backup_count)) as u8;
        // A primary that misses a configuration cannot tell whether it was one all the time, and sends on who waits.
        let skips = !plan.only_moves && dice.percent(50);
        let node = |id| Node {
            id: NodeId(id),
            name: format!("n{id}"),
            address: format!("10.0.0.{id}:7700"),
            peer_address: format!("10.0.0.{id}:7701"),
        };
        let others = (2..=FOUNDERS).map(node).collect();
        let founding =
            Founding { backup_count, min_in_sync, others, ..Founding::alone(9, PARTITIONS, node(1)) };
        let mut control = Control::new(&grid::birth(founding));
        let view = control.view(&control.latest().clone());
        let limits = Limits {
            ops: 24,
            session_answers: WINDOW as usize,
            log_entries: dice.one_of(&[24, 64, 256]),
            min_in_sync: usize::from(min_in_sync),
            ..Limits::default()
        };
        // Patient with those who are alone, or not: a node is one or the other.
        let patient = Settings { lease_us: 2_000_000, grant_us: 2_150_000, ..Settings::default() };
        let settings = if dice.percent(50) { patient } else { Settings::default() };
        let mut oracles = Oracles::new(PARTITIONS);
        oracles.compiled(&view);
        let machine = |id| match id {
            1..=FOUNDERS => Machine::new(NodeId(id), Clock::new(&mut dice)),
            _ => Machine::spare(NodeId(id), Clock::new(&mut dice)),
        };
        let machines = (1..=NODES).map(machine).collect();
        let mut world = World {
            plan: plan.clone(),
            dice,
            now_us: 1,
            queue: BTreeMap::new(),
            scheduled: 0,
            machines,
            network: Network::default(),
            control,
            clients: users::all(),
            streams: BTreeMap::new(),
            last_stream: 0,
            over: BTreeSet::new(),
            owing: Owing::default(),
            subscribers: vec![Subscriber::new(LENIENT, PARTITIONS), Subscriber::new(PLAIN, PARTITIONS)],
            links: BTreeMap::new(),
            oracles,
            view,
            limits,
            timing: Timing::default(),
            settings,
            seen: Seen::default(),
            version: 1,
            is_calm: false,
            skips,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        let index = self.control.index();
        for node in (1..=FOUNDERS).map(NodeId) {
            self.machine(node).applied = index;
            self.boot(node, Incarnation(1), index);
        }
        self.after(0, Event::Control(ControlEvent::Look));
        for client in 0..self.clients.len() {
            self.begin_connection(client);
            let after_us = 300_000 + self.dice.below(50_000);
            self.after(after_us, Event::Client(client, ClientEvent::Think));
        }
        for subscriber in 0..self.subscribers.len() {
            for partition in (0..PARTITIONS).map(PartitionId) {
                self.after(350_000, Event::Subscriber(subscriber, partition, SubscriberEvent::Connect));
            }
        }
        self.after(600_000, Event::Trouble);
        self.after(1_000_000, Event::Operator);
    }

    /// Storm, calm, and what is left of it all.
    pub(crate) fn run(mut self) -> Result<Seen, String> {
        while self.now_us < self.plan.storm_us {
            self.step()?;
        }
        self.heal()?;
        Ok(self.seen)
    }

    pub(super) fn after(&mut self, delay_us: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now_us + delay_us, self.scheduled), event);
    }

    pub(super) fn machine(&mut self, node: NodeId) -> &mut Machine {
        &mut self.machines[node.0 as usize - 1]
    }

    pub(super) fn any_node(&mut self) -> NodeId {
        let members: Vec<NodeId> = self.members().map(|machine| machine.node).collect();
        self.dice.one_of(&members)
    }

    /// The machines of the cluster's nodes.
    pub(super) fn members(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.is_member)
    }

    /// Adds to the hash of all that happens.
    pub(super) fn note(&mut self, what: u64, more: u64) {
        for word in [self.now_us, what, more] {
            self.seen.trace = (self.seen.trace.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }

    /// Tells whoever looks into a run.
    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.plan.is_told {
            eprintln!("{:>9} {}", self.now_us, what());
        }
    }

    fn step(&mut self) -> Verdict {
        let ((at_us, _), event) = self.queue.pop_first().ok_or("nothing is left to happen")?;
        self.now_us = at_us;
        self.seen.steps += 1;
        self.happen(event).map_err(|broken| format!("at {at_us}: {broken}"))
    }

    fn happen(&mut self, event: Event) -> Verdict {
        match event {
            Event::Arrives(node, arrival) => {
                if let Some(arrival) = self.postponed(node, arrival, Event::Arrives) {
                    return self.arrive(node, arrival);
                }
            }
            Event::Within(node, incarnation, inner) => {
                if self.machine(node).incarnation() != Some(incarnation) {
                    return Ok(());
                }
                let again = |node, inner| Event::Within(node, incarnation, inner);
                if let Some(inner) = self.postponed(node, inner, again) {
                    return self.within(node, inner);
                }
            }
            Event::Control(event) => return self.govern(event),
            Event::Client(client, event) => return self.client(client, event),
            Event::Stream(id, event) => return self.stream(id, event),
            Event::Subscriber(subscriber, partition, event) => {
                return self.subscriber(subscriber, partition, event);
            }
            Event::PowerOn(node) => self.power_on(node),
            Event::Start { node, life } => {
                if self.machine(node).life == life {
                    self.start(node);
                }
            }
            Event::Boot { node, life, incarnation, index } => {
                self.boot_when_ready(node, life, incarnation, index);
            }
            Event::Trouble => return self.trouble(),
            Event::Swap => self.swap(),
            Event::Crash(node) => self.crash_now(node),
            Event::Stop { node, life, until_us } => self.stop(node, life, until_us),
            Event::Mend => {
                self.say(|| "the cuts end".into());
                self.network.mend();
                self.flow_again();
            }
            Event::Clear => self.network.weather = Default::default(),
            Event::Operator => self.operate(),
        }
        Ok(())
    }

    /// What reaches a process that stands still waits until it goes on.
    fn postponed<T>(&mut self, node: NodeId, what: T, again: impl Fn(NodeId, T) -> Event) -> Option<T> {
        let (now_us, machine) = (self.now_us, self.machine(node));
        if machine.paused_until_us <= now_us {
            return Some(what);
        }
        let wait_us = machine.paused_until_us - now_us;
        self.after(wait_us, again(node, what));
        None
    }
}

/// The rows of the lenient map above an amount: scores arrive late there.
const LENIENT: About = About { map: grid::LENIENT, condition: Some("amount > 300"), above: Some(300) };
/// All rows of a plain map.
const PLAIN: About = About { map: grid::PLAIN, condition: None, above: None };
