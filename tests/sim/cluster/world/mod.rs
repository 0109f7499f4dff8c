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
use super::faults::{Ambush, Trouble};
use super::host::Out;
use super::machine::Machine;
use super::network::{Network, Place};
use super::oracle::{Oracles, Verdict, feeds::About};
use super::owed::Owing;
use super::seen::Seen;
use super::stream::{Stream, StreamId};
use super::subscriber::Subscriber;
use super::trace::Trace;
use crate::dice::Dice;
use crate::grid;

pub(super) const PARTITIONS: u16 = 4;
/// Nodes that the cluster has at most.
const NODES_MOST: u64 = 7;
/// Dice are forked under numbers from here on for what is left to chance beside the troubles.
const CHANCES: u64 = 1 << 40;

/// What a run is to show, and how long it is.
#[derive(Clone, Debug)]
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
    /// The numbers of the troubles that come to pass; all, if none is named.
    pub(crate) only: Option<Vec<u32>>,
    /// What is left to chance beside the troubles falls out in another way for each number.
    pub(crate) chance: u64,
    /// What matters most is told on stderr.
    pub(crate) is_told: bool,
}

impl Plan {
    /// As long as a run has to be to count.
    pub(crate) fn full() -> Self {
        Plan {
            storm_us: 16_000_000,
            pause_us: 30_000,
            unchecked_reads: false,
            new_numbers: false,
            wrong_scores: false,
            only_moves: false,
            only: None,
            chance: 0,
            is_told: false,
        }
    }

    /// Short enough to be tried at every change.
    pub(crate) fn short() -> Self {
        Plan { storm_us: 4_000_000, pause_us: 60_000, ..Plan::full() }
    }
}

impl Plan {
    /// The arguments by which the simulation is told so.
    pub(crate) fn arguments(&self) -> String {
        let mut text = String::new();
        let usual = if self.pause_us == Plan::short().pause_us { Plan::short() } else { Plan::full() };
        if usual.storm_us == Plan::short().storm_us {
            text += " --short";
        }
        if self.only_moves {
            text += " --moves";
        }
        if self.storm_us != usual.storm_us {
            text += &format!(" --storm-ms {}", self.storm_us.div_ceil(1_000));
        }
        if let Some(only) = &self.only {
            let numbers: Vec<String> = only.iter().map(u32::to_string).collect();
            text += &format!(" --only={}", numbers.join(","));
        }
        if self.chance > 0 {
            text += &format!(" --chance {}", self.chance);
        }
        text
    }

    /// Whether the trouble of that number comes to pass.
    pub(super) fn has(&self, number: u32) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&number))
    }
}

/// One run.
pub(crate) struct World {
    pub(super) seed: u64,
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) now_us: u64,
    /// By time, then by the order of scheduling.
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    /// Nodes that found the cluster, and vote in its control group.
    founders: u64,
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
    pub(super) trace: Trace,
    /// The versions of the model so far.
    pub(super) version: u32,
    pub(super) is_calm: bool,
    /// What goes wrong at the next moment of a kind.
    pub(super) ambush: Option<Ambush>,
    /// What went wrong so far.
    pub(super) troubles: Vec<Trouble>,
    /// Nodes may see a placement without those before it.
    pub(super) skips: bool,
}

impl World {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let mut dice = Dice::new(seed);
        let (founders, nodes) = size(&mut dice);
        let backup_count = if founders > 3 && dice.percent(20) { 3 } else { 1 + dice.below(2) as u8 };
        // Where all must be there for a commit, whoever is removed stays eligible.
        let all = dice.percent(30);
        let min_in_sync = if all { backup_count + 1 } else { 1 + dice.below(u64::from(backup_count)) as u8 };
        let skips = dice.percent(50);
        let others = (2..=founders).map(node).collect();
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
        // With few moves at a time, all of them may wait for one another.
        let settings = Settings {
            moves: dice.one_of(&[16, 16, 2, 1]),
            fills_per_node: dice.one_of(&[8, 8, 2, 1]),
            ..settings
        };
        let mut oracles = Oracles::new(PARTITIONS);
        oracles.compiled(&view);
        let machine = |id| match id <= founders {
            true => Machine::new(NodeId(id), Clock::new(&mut dice)),
            false => Machine::spare(NodeId(id), Clock::new(&mut dice)),
        };
        let machines = (1..=nodes).map(machine).collect();
        let mut world = World {
            seed,
            plan: plan.clone(),
            dice: Dice::fork(seed, CHANCES + plan.chance),
            now_us: 1,
            queue: BTreeMap::new(),
            scheduled: 0,
            founders,
            machines,
            network: Network::default(),
            control,
            clients: users::all(),
            streams: BTreeMap::new(),
            last_stream: 0,
            over: BTreeSet::new(),
            owing: Owing::default(),
            subscribers: subscribers(),
            links: BTreeMap::new(),
            oracles,
            view,
            limits,
            timing: Timing::default(),
            settings,
            seen: Seen::default(),
            trace: Trace::default(),
            version: 1,
            is_calm: false,
            ambush: None,
            troubles: Vec::new(),
            skips,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        if self.plan.only_moves && self.dice.percent(50) {
            // Nothing is lost, but some of it takes its time.
            self.network.weather.slow_us = 20_000;
        }
        let index = self.control.index();
        for node in (1..=self.founders).map(NodeId) {
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
        self.after(600_000, Event::Trouble(0));
        self.after(1_000_000, Event::Operator);
    }

    /// Storm, calm, and what is left of it all.
    pub(crate) fn run(&mut self) -> Result<Seen, String> {
        while self.now_us < self.plan.storm_us {
            self.step()?;
        }
        self.heal()?;
        // What is left to chance by now says how often it was asked.
        self.trace.add(self.dice.roll());
        self.seen.trace = self.trace.value();
        Ok(self.seen.clone())
    }

    pub(super) fn after(&mut self, delay_us: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now_us + delay_us, self.scheduled), event);
    }

    pub(super) fn machine(&mut self, node: NodeId) -> &mut Machine {
        &mut self.machines[node.0 as usize - 1]
    }

    pub(super) fn any_node(&self, dice: &mut Dice) -> NodeId {
        let members: Vec<NodeId> = self.members().map(|machine| machine.node).collect();
        dice.one_of(&members)
    }

    pub(super) fn any_client(&self, dice: &mut Dice) -> usize {
        dice.below(self.clients.len() as u64) as usize
    }

    fn any_founder(&mut self) -> NodeId {
        NodeId(1 + self.dice.below(self.founders))
    }

    /// All that the cluster may come to have.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.machines.len() as u64).map(NodeId)
    }

    /// What went wrong so far.
    pub(crate) fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// The machines of the cluster's nodes.
    pub(super) fn members(&self) -> impl Iterator<Item = &Machine> {
        self.machines.iter().filter(|machine| machine.is_member)
    }

    /// Whether a node is down or stands still, or the network is not whole.
    pub(super) fn is_faulty(&self) -> bool {
        !self.network.is_whole() || self.members().any(|machine| !machine.is_running(self.now_us))
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
        self.trace.event(at_us, &event);
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
            Event::Trouble(number) => return self.trouble(number),
            Event::Swap(swap) => self.swap(swap),
            Event::Crash { node, back_us } => self.crash_now(node, back_us),
            Event::Stop { node, life, until_us, back_us } => self.stop(node, life, until_us, back_us),
            Event::Strand { node, roll, for_us } => self.leave_alone(node, roll, for_us),
            Event::Part { a, b, for_us } => {
                if !self.is_calm {
                    self.cut_link(a.into(), b.into(), for_us);
                }
            }
            Event::Mend => {
                self.network.mend(self.now_us);
                self.flow_again();
            }
            Event::Flap(flap) => self.flap_on(flap),
            Event::Elect => return self.elect(),
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

/// How many nodes found a cluster, and how many it may come to have. Mostly few: there, more depends on each.
fn size(dice: &mut Dice) -> (u64, u64) {
    let founders = dice.one_of(&[3, 3, 3, 3, 3, 3, 3, 4, 5, 5]);
    let spares = dice.one_of(&[1, 2, 2, 2, 4]);
    (founders, NODES_MOST.min(founders + spares))
}

/// A node as the cluster knows it.
fn node(id: u64) -> Node {
    Node {
        id: NodeId(id),
        name: format!("n{id}"),
        address: format!("10.0.0.{id}:7700"),
        peer_address: format!("10.0.0.{id}:7701"),
    }
}

/// Who subscribes to what.
fn subscribers() -> Vec<Subscriber> {
    vec![
        Subscriber::new(LENIENT, PARTITIONS),
        Subscriber::new(PLAIN, PARTITIONS),
        Subscriber::from_now(COUNTERS, PARTITIONS),
    ]
}

/// The rows of the lenient map above an amount: scores arrive late there.
const LENIENT: About = About { map: grid::LENIENT, condition: Some("amount > 300"), above: Some(300) };
/// All rows of another, whose subscriber is not told of those that are there at first.
const COUNTERS: About = About { map: grid::COUNTERS, condition: None, above: None };
/// All rows of a plain map.
const PLAIN: About = About { map: grid::PLAIN, condition: None, above: None };
