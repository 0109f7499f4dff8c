//! Several supervisors over one catalogue, with everything between them late, lost or out of date.
//!
//! The oracle: when a partition is taken from a sole holder, and whenever a grant arrives after that, the holder's
//! lease for it must have ended before.

use std::{collections::BTreeMap, sync::Arc};

use super::bench::{cluster, node};
use crate::{
    catalog::{
        Catalogue, Command, ConfigurationChange, Replica, Response, Step,
        invariants::check_step,
        supervisor::{Beacon, Effect, Grant, Input, ProposalId, Settings, Supervisor},
    },
    types::{Error, Incarnation, NodeId, Now, PartitionId, Result},
};

const NODES: u64 = 4;
const PARTITIONS: u16 = 8;
const BEACON_US: u64 = 100_000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// One start of a node.
struct Peer {
    supervisor: Supervisor,
    incarnation: Incarnation,
    /// Its clock runs faster than true time by so many per cent.
    fast: u64,
    sees: Arc<Catalogue>,
    /// Cut from everybody.
    is_cut: bool,
    next_beacon_us: u64,
    /// In true time.
    lease_until_us: u64,
}

impl Peer {
    fn clock(&self, true_us: u64) -> u64 {
        true_us + true_us * self.fast / 100
    }

    fn true_time(&self, clock_us: u64) -> u64 {
        clock_us * 100 / (100 + self.fast)
    }
}

/// What happens later.
enum Event {
    Input(u64, Incarnation, Input),
    Grant(Grant),
    /// A proposal reaches the log, through whoever leads by then.
    Propose(u64, Incarnation, ProposalId, Command),
    /// The control group says whether the node leads.
    Evaluate(u64, Incarnation, u64),
}

struct World {
    dice: Dice,
    now_us: u64,
    catalogue: Arc<Catalogue>,
    leader: u64,
    peers: BTreeMap<u64, Peer>,
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
    /// When sole holders lost a partition, unless they got it back.
    moved: BTreeMap<(PartitionId, Replica), u64>,
    promotions: usize,
    is_calm: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let catalogue = Arc::new(cluster(NODES, PARTITIONS, 1 + (seed % 2) as u8, 2));
        let mut world = World {
            dice: Dice(seed),
            now_us: 1_000_000,
            leader: 1,
            peers: BTreeMap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            moved: BTreeMap::new(),
            promotions: 0,
            is_calm: false,
            catalogue,
        };
        for id in 1..=NODES {
            world.boot(id, Incarnation(1));
        }
        world.elect(1);
        world
    }

    fn boot(&mut self, id: u64, incarnation: Incarnation) {
        let peer = Peer {
            supervisor: Supervisor::new(NodeId(id), Settings::default()),
            incarnation,
            fast: self.dice.below(5),
            sees: Arc::default(),
            is_cut: false,
            next_beacon_us: self.now_us,
            lease_until_us: 0,
        };
        self.peers.insert(id, peer);
        self.input(id, Input::Catalogue(Arc::clone(&self.catalogue)));
    }

    fn later(&mut self, most_us: u64, event: Event) {
        // Most of it is quick: faults hide where the late meets the prompt.
        let is_quick = self.is_calm || !self.dice.one_in(4);
        let most_us = if is_quick { most_us.min(10_000) } else { most_us };
        let at_us = self.now_us + 500 + self.dice.below(most_us);
        self.next_event += 1;
        self.events.insert((at_us, self.next_event), event);
    }

    fn input(&mut self, id: u64, input: Input) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let catalogue = match &input {
            Input::Catalogue(catalogue)
            | Input::Leading(catalogue)
            | Input::Outcome { catalogue, .. }
            | Input::Confirmed { catalogue, .. } => Some(catalogue),
            _ => None,
        };
        if let Some(later) = catalogue.filter(|catalogue| catalogue.placement >= peer.sees.placement) {
            peer.sees = Arc::clone(later);
        }
        let now = Now { mono_us: peer.clock(self.now_us), ..Now::default() };
        let mut effects = Vec::new();
        peer.supervisor.handle(now, input, &mut effects);
        let incarnation = peer.incarnation;
        for effect in effects {
            match effect {
                Effect::Propose { proposal, command } => {
                    self.later(700_000, Event::Propose(id, incarnation, proposal, command));
                }
                Effect::Confirm { round } => self.later(150_000, Event::Evaluate(id, incarnation, round)),
                Effect::Grant(grant) => self.later(300_000, Event::Grant(grant)),
            }
        }
    }

    /// Another leader; nobody hears of it at once.
    fn elect(&mut self, id: u64) {
        let before = std::mem::replace(&mut self.leader, id);
        if before != id
            && let Some(incarnation) = self.peers.get(&before).map(|peer| peer.incarnation)
        {
            self.later(2_000_000, Event::Input(before, incarnation, Input::NotLeading));
        }
        // It learns in order: that an earlier leadership ended, first.
        let is_end = |event: &Event| matches!(event, Event::Input(to, _, Input::NotLeading) if *to == id);
        self.events.retain(|_, event| !is_end(event));
        self.input(id, Input::Leading(Arc::clone(&self.catalogue)));
    }

    fn apply(&mut self, command: &Command) -> Result<Response> {
        let before = Arc::clone(&self.catalogue);
        let mut after = Catalogue::clone(&before);
        let answer = after.apply(command)?;
        check_step(&before, &after);
        if let (Command::Configure(changes), Response::Configured(outcomes)) = (command, &answer) {
            let promoted = |(change, outcome): &(&ConfigurationChange, &Result<_>)| {
                matches!(change.step, Step::Promote { .. }) && outcome.is_ok()
            };
            self.promotions += changes.iter().zip(outcomes).filter(promoted).count();
        }
        for (partition, (was, is)) in
            (0..).map(PartitionId).zip(before.configurations().iter().zip(after.configurations()))
        {
            self.moved.retain(|(moved, replica), _| *moved != partition || replica.join != is.primary);
            if let [sole] = was.in_sync[..]
                && is.primary != sole.join
            {
                self.moved.insert((partition, sole), self.now_us);
            }
        }
        self.catalogue = Arc::new(after);
        for (id, incarnation) in self.ids() {
            let catalogue = Arc::clone(&self.catalogue);
            self.later(400_000, Event::Input(id, incarnation, Input::Catalogue(catalogue)));
        }
        self.check_leases();
        Ok(answer)
    }

    fn ids(&self) -> Vec<(u64, Incarnation)> {
        self.peers.iter().map(|(id, peer)| (*id, peer.incarnation)).collect()
    }

    /// Nobody answers for what was taken from it.
    fn check_leases(&self) {
        for ((partition, replica), moved_us) in &self.moved {
            let Some(peer) = self.peers.get(&replica.node.0) else { continue };
            let held = peer.sees.configuration(*partition).unwrap();
            if held.sole_node() == Some(replica.node) && held.primary == replica.join {
                assert!(
                    peer.lease_until_us <= *moved_us,
                    "at {} node {} has partition {partition} until {}, which it lost at {moved_us}",
                    self.now_us,
                    replica.node,
                    peer.lease_until_us
                );
            }
        }
    }

    fn happen(&mut self, event: Event) {
        let is_there = |world: &World, id, incarnation| {
            world.peers.get(&id).is_some_and(|peer| peer.incarnation == incarnation)
        };
        match event {
            Event::Input(id, incarnation, input) => {
                if is_there(self, id, incarnation) {
                    self.input(id, input);
                }
            }
            Event::Grant(grant) => self.hand_over(grant),
            Event::Propose(id, incarnation, proposal, command) => {
                let answer = self.apply(&command);
                let is_lost = !self.is_calm && self.dice.one_in(5);
                let answer = if is_lost { Err(Error::unavailable("lost")) } else { answer };
                let catalogue = Arc::clone(&self.catalogue);
                let outcome = Input::Outcome { proposal, answer, catalogue };
                if self.is_calm || !self.dice.one_in(10) {
                    self.later(200_000, Event::Input(id, incarnation, outcome));
                }
            }
            Event::Evaluate(id, incarnation, round) => {
                let confirmed = self.leader == id && is_there(self, id, incarnation);
                let catalogue = Arc::clone(&self.catalogue);
                let answer = Input::Confirmed { round, confirmed, catalogue };
                self.later(150_000, Event::Input(id, incarnation, answer));
            }
        }
    }

    fn hand_over(&mut self, grant: Grant) {
        let Some(peer) = self.peers.get_mut(&grant.to.0) else { return };
        if peer.incarnation != grant.incarnation || peer.sees.placement < grant.placement {
            return;
        }
        let until_us = peer.true_time(grant.sent_us + Settings::default().lease_us);
        peer.lease_until_us = peer.lease_until_us.max(until_us);
        self.check_leases();
    }

    fn beacons(&mut self) {
        for (id, incarnation) in self.ids() {
            let peer = self.peers.get_mut(&id).unwrap();
            if self.now_us < peer.next_beacon_us {
                continue;
            }
            peer.next_beacon_us = self.now_us + BEACON_US;
            let (is_cut, sent_us) = (peer.is_cut, peer.clock(self.now_us));
            let beacon = Beacon { from: NodeId(id), incarnation, sent_us, hears_you: true };
            self.input(id, Input::Beacon(beacon));
            for (other, start) in self.ids() {
                if other != id && !is_cut && !self.peers[&other].is_cut {
                    let peer = &self.peers[&id];
                    let now = Now { mono_us: peer.clock(self.now_us), ..Now::default() };
                    let hears_you = peer.supervisor.hears(now, NodeId(other));
                    let beacon = Beacon { hears_you, ..beacon };
                    self.later(60_000, Event::Input(other, start, Input::Beacon(beacon)));
                }
            }
        }
    }

    /// Primaries hand over as they are asked, and admit what they fill, and what only fell away.
    fn answer(&mut self) {
        let mut changes = Vec::new();
        for (partition, held) in (0..).map(PartitionId).zip(self.catalogue.configurations()) {
            let outside = held.learners.iter().chain(&held.eligible);
            let admit = outside.map(|replica| Step::Admit { join: replica.join });
            let mut steps: Vec<Step> =
                admit.chain(held.successor.map(|join| Step::HandOver { join })).collect();
            if !steps.is_empty() {
                let step = steps.swap_remove(self.dice.below(steps.len() as u64) as usize);
                let (generation, epoch) = (held.generation, held.epoch);
                changes.push(ConfigurationChange { partition, generation, epoch, step });
            }
        }
        let _ = self.apply(&Command::Configure(changes));
    }

    fn trouble(&mut self) {
        let id = 1 + self.dice.below(NODES);
        match self.dice.below(200) {
            0..6 => self.elect(id),
            6..18 => {
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.is_cut = !peer.is_cut;
                }
            }
            18 => self.restart(id),
            19..22 => self.answer(),
            _ => {}
        }
    }

    fn restart(&mut self, id: u64) {
        self.peers.remove(&id);
        self.apply(&Command::StartNode { node: node(id), after: None }).unwrap();
        let incarnation = self.catalogue.member(NodeId(id)).unwrap().incarnation;
        self.boot(id, incarnation);
        if self.leader == id {
            let next = 1 + id % NODES;
            self.elect(next);
        }
    }

    /// Runs for so long, in steps of 5 ms.
    fn run(&mut self, ms: u64, mut each: impl FnMut(&mut World)) {
        for _ in 0..ms / 5 {
            self.now_us += 5_000;
            while let Some(first) = self.events.first_entry().filter(|first| first.key().0 <= self.now_us) {
                let event = first.remove();
                self.happen(event);
            }
            self.beacons();
            for (id, _) in self.ids() {
                let peer = &self.peers[&id];
                if peer.supervisor.next_deadline() <= peer.clock(self.now_us) {
                    self.input(id, Input::Tick);
                }
            }
            each(self);
        }
    }
}

#[test]
fn whatever_is_late_or_lost_no_lease_outlives_a_move_and_all_is_mended() {
    let mut promotions = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        world.run(20_000, |world| {
            if world.dice.one_in(4) {
                world.trouble();
            }
        });
        promotions += world.promotions;

        world.is_calm = true;
        world.peers.values_mut().for_each(|peer| peer.is_cut = false);
        for id in 1..=NODES {
            if id != world.leader {
                world.input(id, Input::NotLeading);
            }
        }
        let leader = world.leader;
        world.elect(leader);
        world.run(4_000, |_| {});
        world.apply(&Command::ResetLost { unavailable: false }).unwrap();
        world.run(8_000, |world| {
            if world.dice.one_in(10) {
                world.answer();
            }
        });
        assert_eq!(world.catalogue.up().len() as u64, NODES, "seed {seed}");
        for held in world.catalogue.configurations() {
            assert_eq!(held.in_sync.len(), world.catalogue.replicas_wanted(), "seed {seed}: {held:?}");
            assert!(held.learners.is_empty(), "seed {seed}: {held:?}");
        }
        assert_eq!(world.catalogue.moves(), [], "seed {seed}");
    }
    assert!(promotions > 10, "only {promotions}: the seeds show nothing");
}
