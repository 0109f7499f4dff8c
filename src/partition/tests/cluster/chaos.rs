//! Three hosts, a bad network and a nervous control group, by seed. The oracles: whatever is committed is committed
//! everywhere and once; an answer is what is committed; a read that a lease covers is never old; after the storm, all
//! replicas are equal.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    super::bench::*,
    Cluster, Command, Letter, Proposed,
    clients::{Clients, any_key},
    dice::Dice,
};
use crate::{
    binding::{Score, ScoreValue},
    partition::{Body, Core, Input, Place, Proposal, Verdict, View},
    types::{Error, NodeId},
};

const SEEDS: u64 = 1_500;
const STEPS: usize = 1_200;
const HOSTS: u64 = 3;
/// Replicas of a partition at most: where there are two, one is often alone.
const REPLICAS: [usize; 3] = [2, 3, 3];
/// More letters than these are lost.
const BAG: usize = 150;

/// What a run saw: a run in which nothing happens proves nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    promoted: usize,
    /// A learner that was told of its admission and its promotion at once.
    skipped: usize,
    admitted: usize,
    handed_over: usize,
    forwarded: usize,
    /// Admitted again, without a copy.
    readmitted: usize,
    removed: usize,
    restarted: usize,
    lost: usize,
    refused: usize,
    answered: usize,
    repeated: usize,
    read: usize,
    entries: usize,
}

impl Seen {
    fn each(&self) -> [(&'static str, usize); 14] {
        [
            ("promoted", self.promoted),
            ("skipped", self.skipped),
            ("admitted", self.admitted),
            ("handed over", self.handed_over),
            ("forwarded", self.forwarded),
            ("readmitted", self.readmitted),
            ("removed", self.removed),
            ("restarted", self.restarted),
            ("lost", self.lost),
            ("refused", self.refused),
            ("answered", self.answered),
            ("repeated", self.repeated),
            ("read", self.read),
            ("entries", self.entries),
        ]
    }
}

struct Chaos {
    dice: Dice,
    cluster: Cluster,
    clients: Clients,
    views: Vec<Arc<View>>,
    replicas: usize,
    /// By host: it does nothing until then.
    paused_until_us: Vec<u64>,
    /// From, to.
    cut: BTreeSet<(NodeId, NodeId)>,
    down: BTreeSet<NodeId>,
    seen: Seen,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let replicas = REPLICAS[dice.index(REPLICAS.len())];
        let min_in_sync = 1 + dice.index(replicas);
        let in_sync = 1 + dice.below(replicas as u64);
        let mut bench = Bench::bound("deadline_ms = 50\non_deadline = \"store_unscored\"");
        let mut views = vec![Arc::new(View::compile(&bench.catalogue).unwrap())];
        for version in 2..=3 {
            bench.deploy(version);
            views.push(Arc::new(View::compile(&bench.catalogue).unwrap()));
        }
        let mut cluster = Cluster::silent(HOSTS, in_sync, min_in_sync, views[0].clone());
        cluster.control.wanted = replicas;
        for host in &mut cluster.hosts {
            host.drift = dice.below(40_000) as i64 - 20_000;
            host.ahead_us = dice.below(5_000_000);
            host.skew_ms = dice.below(100) as i64 - 50;
            if dice.chance(500) {
                host.limits.log_entries = 8;
            }
        }
        Chaos {
            dice,
            cluster,
            clients: Clients::new(3),
            views,
            replicas,
            paused_until_us: vec![0; HOSTS as usize],
            cut: BTreeSet::new(),
            down: BTreeSet::new(),
            seen: Seen::default(),
        }
    }

    fn run(mut self) -> Seen {
        for _ in 0..STEPS {
            self.step();
            self.listen();
        }
        self.heal();
        self.seen.answered = self.clients.answered as usize;
        self.seen.repeated = self.clients.repeated as usize;
        self.seen.entries = self.cluster.history.entries.len();
        self.seen
    }

    fn any_host(&mut self) -> u64 {
        1 + self.dice.below(HOSTS)
    }

    fn is_idle(&self, node: u64) -> bool {
        self.paused_until_us[node as usize - 1] > self.cluster.now_us || self.down.contains(&NodeId(node))
    }

    fn step(&mut self) {
        match self.dice.below(1_000) {
            0..520 => self.deliver(),
            520..640 => self.ask(),
            640..800 => self.pass(),
            800..840 => self.tell_configuration(),
            840..870 => self.decide(),
            870..900 => self.grant(),
            900..940 => self.read(),
            940..965 => self.score(),
            _ => self.disturb(),
        }
    }

    fn deliver(&mut self) {
        let bag = &mut self.cluster.bag;
        if bag.is_empty() {
            return;
        }
        let oldest = self.dice.chance(600);
        let at = if oldest { 0 } else { self.dice.index(bag.len()) };
        let letter = bag[at].clone();
        if self.is_idle(letter.to.0) && !self.down.contains(&letter.to) {
            return;
        }
        if !self.dice.chance(40) {
            self.cluster.bag.remove(at);
        }
        if self.dice.chance(30) || self.cut.contains(&(letter.from, letter.to)) {
            return;
        }
        self.hand_over(letter);
    }

    fn hand_over(&mut self, letter: Letter) {
        let to = letter.to.0;
        let is_different = matches!(letter.frame.body, Body::Filled { verdict: Verdict::Differs, .. });
        assert!(!is_different, "a copy differs: {letter:?}");
        self.cluster.deliver(letter);
        if self.dice.chance(500) {
            self.cluster.flush(to);
        }
    }

    fn ask(&mut self) {
        let request = self.clients.ask(&mut self.dice);
        let node = if self.dice.chance(800) { self.primary() } else { self.any_host() };
        if !self.is_idle(node) {
            self.cluster.input(node, Input::Request(request));
            if self.dice.chance(500) {
                self.cluster.flush(node);
            }
        }
    }

    fn primary(&self) -> u64 {
        self.cluster.control.latest().primary_node().map_or(1, |node| node.0)
    }

    fn listen(&mut self) {
        for (origin, answer) in std::mem::take(&mut self.cluster.replies) {
            if !self.dice.chance(100) {
                self.clients.told(origin, &answer, &self.cluster.history);
            }
        }
        for (to, request) in std::mem::take(&mut self.cluster.forwarded) {
            // Others are lost on their way.
            if !self.is_idle(to.0) && !self.dice.chance(100) {
                self.seen.forwarded += 1;
                self.cluster.input(to.0, Input::Request(request));
            }
        }
        while self.cluster.bag.len() > BAG {
            let at = self.dice.index(BAG);
            self.cluster.bag.remove(at);
        }
    }

    fn pass(&mut self) {
        let most = if self.dice.chance(50) { 300_000 } else { 20_000 };
        self.cluster.now_us += self.dice.below(most);
        for node in 1..=HOSTS {
            if self.is_idle(node) {
                continue;
            }
            let now_us = self.cluster.now_us;
            if self.cluster.host(node).is_due(now_us) {
                self.cluster.input(node, Input::Tick);
            }
            self.cluster.flush(node);
        }
    }

    fn tell_configuration(&mut self) {
        let node = self.any_host();
        let (known, latest) = (self.cluster.host(node).known, self.cluster.control.configurations.len());
        if self.is_idle(node) || known == latest {
            return;
        }
        let next = if self.dice.chance(700) { known + 1 } else { latest };
        self.configure(node, next);
    }

    /// Some hear of the latest configuration at once.
    fn spread(&mut self) {
        let latest = self.cluster.control.configurations.len();
        for node in 1..=HOSTS {
            if self.dice.chance(400) && !self.is_idle(node) {
                self.configure(node, latest);
                self.cluster.flush(node);
            }
        }
    }

    fn configure(&mut self, node: u64, upto: usize) {
        let before = self.place(node);
        self.cluster.configure_upto(node, upto);
        let is_promoted = before != Some(Place::Primary) && self.place(node) == Some(Place::Primary);
        self.seen.promoted += usize::from(is_promoted);
        self.seen.skipped += usize::from(is_promoted && before == Some(Place::Learner));
    }

    fn place(&mut self, node: u64) -> Option<Place> {
        self.cluster.host(node).core.as_ref().map(Core::place)
    }

    fn decide(&mut self) {
        if self.cluster.proposed.is_empty() {
            return;
        }
        let at = self.dice.index(self.cluster.proposed.len());
        let proposed = self.cluster.proposed.remove(at);
        if !self.dice.chance(150) {
            let is_told = self.dice.chance(700);
            self.apply(proposed, is_told);
        }
    }

    fn apply(&mut self, proposed: Proposed, is_told: bool) {
        let Proposed { by, generation, epoch, change } = proposed;
        let latest = self.cluster.control.latest().clone();
        let is_applied = self.cluster.control.propose(generation, epoch, change);
        match change {
            Proposal::Admit { join } if is_applied => {
                let is_eligible = latest.eligible.iter().any(|replica| replica.join == join);
                self.seen.admitted += 1;
                self.seen.readmitted += usize::from(is_eligible);
                self.spread();
            }
            Proposal::Admit { join } => {
                self.seen.refused += 1;
                if is_told && !self.is_idle(by.0) {
                    self.cluster.input(by.0, Input::Refused { epoch, join });
                }
            }
            Proposal::Remove { .. } => self.seen.removed += usize::from(is_applied),
            Proposal::Expel { join } => panic!("replica {join} holds other rows than most"),
            Proposal::HandOver { join } => {
                self.seen.handed_over += usize::from(is_applied);
                if is_applied {
                    if self.dice.chance(300) {
                        // Who handed over is cut off before it hears so: the next primary goes on without it.
                        self.cluster.control.command(Command::Fail(by), self.cluster.now_us);
                    }
                    self.spread();
                } else if is_told && !self.is_idle(by.0) {
                    self.cluster.input(by.0, Input::Refused { epoch, join });
                }
            }
        }
    }

    fn grant(&mut self) {
        let node = self.any_host();
        let is_informed = self.cluster.host(node).known == self.cluster.control.configurations.len();
        // The grant names what the control leader knew; a node that knows less does not use it.
        if !self.is_idle(node) && is_informed {
            self.cluster.grant(node);
        }
    }

    /// Whoever holds a reader may read with it, whatever has become of the replica.
    fn read(&mut self) {
        let node = self.any_host();
        let key = any_key(&mut self.dice);
        let map = if self.dice.chance(700) { PLAIN } else { SCORED };
        let now_us = self.cluster.now_us;
        let (generation, rows) = (self.cluster.history.generation(), &self.cluster.history.rows);
        let host = &self.cluster.hosts[node as usize - 1];
        let packed = super::super::bench::key(key);
        for reader in &host.readers {
            if let Ok(found) = reader.read(map, packed.packed(), || host.mono_us(now_us)) {
                self.seen.read += 1;
                assert_eq!(host.generation(), Some(generation));
                assert_eq!(
                    found.as_ref(),
                    rows.get(&(map, packed.packed().to_vec())),
                    "an old read on {node} at {now_us}"
                );
            }
        }
    }

    fn score(&mut self) {
        if self.cluster.scores.is_empty() {
            return;
        }
        let at = self.dice.index(self.cluster.scores.len());
        let (node, task) = self.cluster.scores[at].clone();
        // Some come twice.
        if !self.dice.chance(50) {
            self.cluster.scores.remove(at);
        }
        let result = if self.dice.chance(100) {
            Err(Error::overloaded("the pool is full"))
        } else {
            Ok([Score { column: 1, value: ScoreValue::F32(0.5) }].into_iter().collect())
        };
        if !self.is_idle(node.0) && !self.dice.chance(100) {
            self.cluster.input(node.0, Input::Scored { ticket: task.ticket, result });
        }
    }

    fn disturb(&mut self) {
        let (node, other) = (self.any_host(), self.any_host());
        let now_us = self.cluster.now_us;
        match self.dice.below(100) {
            0..15 => self.add_learner(node),
            15..25 => {
                self.cluster.control.command(Command::Appoint(NodeId(node)), now_us);
                self.spread();
            }
            25..35 => {
                // Rightly so, or not.
                if self.is_idle(node) || self.dice.chance(300) {
                    self.cluster.control.command(Command::Fail(NodeId(node)), now_us);
                    self.spread();
                }
            }
            35..45 => {
                self.cluster.control.command(Command::Promote(NodeId(node)), now_us);
                self.spread();
            }
            45..50 => drop(self.cluster.control.command(Command::PromoteEligible, now_us)),
            50..58 => self.paused_until_us[node as usize - 1] = now_us + self.dice.below(1_500_000),
            58..70 => drop(self.cut.insert((NodeId(node), NodeId(other)))),
            70..80 => self.cut.clear(),
            80..85 => self.crash(node),
            85..92 => self.restart(node),
            92..95 => self.reset_lost(node),
            _ => self.tell_view(node),
        }
    }

    fn add_learner(&mut self, node: u64) {
        let latest = self.cluster.control.latest();
        if latest.in_sync.len() + latest.learners.len() < self.replicas {
            self.cluster.control.command(Command::AddLearner(NodeId(node)), self.cluster.now_us);
        }
    }

    fn tell_view(&mut self, node: u64) {
        let at = self.dice.index(self.views.len());
        if !self.is_idle(node) {
            let known = self.cluster.host(node).view.as_ref().map(|view| view.version);
            if known < Some(self.views[at].version) {
                self.cluster.input(node, Input::View(self.views[at].clone()));
            }
        }
    }

    fn crash(&mut self, node: u64) {
        // Now and then everybody; mostly, somebody is left who has the rows.
        let left = (1..=HOSTS).filter(|other| *other != node && !self.down.contains(&NodeId(*other)));
        let in_sync = &self.cluster.control.latest().in_sync;
        let holders = left.filter(|node| in_sync.iter().any(|replica| replica.node.0 == *node)).count();
        if holders > 0 || self.dice.chance(50) {
            self.cluster.host(node).crash();
            self.down.insert(NodeId(node));
            self.seen.restarted += 1;
        }
    }

    /// It comes back empty, and only when the control group knows that it is.
    fn restart(&mut self, node: u64) {
        if !self.down.remove(&NodeId(node)) {
            return;
        }
        self.paused_until_us[node as usize - 1] = 0;
        self.cluster.control.command(Command::Restart(NodeId(node)), self.cluster.now_us);
        let latest = self.cluster.control.configurations.len();
        self.configure(node, latest);
    }

    fn reset_lost(&mut self, node: u64) {
        if self.cluster.control.command(Command::ResetLost(NodeId(node)), self.cluster.now_us) {
            self.seen.lost += 1;
        }
    }

    /// Nothing bad happens any more: everybody is answered, and all replicas become equal.
    fn heal(&mut self) {
        self.cut.clear();
        self.paused_until_us.fill(0);
        (1..=HOSTS).for_each(|node| self.restart(node));
        for _ in 0..2_000 {
            if self.is_healed() {
                return self.check_end();
            }
            self.round();
        }
        let latest = self.cluster.control.latest().clone();
        let primary = self.primary();
        let is_serving = self.cluster.is_serving(primary);
        panic!(
            "it does not heal: {latest:?}, serving {is_serving}, {} unanswered",
            self.clients.repeat_all().len()
        );
    }

    fn round(&mut self) {
        for node in 1..=HOSTS {
            self.reset_lost(node);
            self.add_learner(node);
            self.cluster.control.command(Command::PromoteEligible, self.cluster.now_us);
            self.tell_view(node);
            let latest = self.cluster.control.configurations.len();
            self.configure(node, latest);
            self.cluster.grant(node);
        }
        for proposed in std::mem::take(&mut self.cluster.proposed) {
            self.apply(proposed, true);
        }
        let primary = self.primary();
        for request in self.clients.repeat_all() {
            self.cluster.input(primary, Input::Request(request));
        }
        for (node, task) in std::mem::take(&mut self.cluster.scores) {
            let result = Ok([Score { column: 1, value: ScoreValue::F32(0.5) }].into_iter().collect());
            self.cluster.input(node.0, Input::Scored { ticket: task.ticket, result });
        }
        self.cluster.settle();
        self.listen();
        self.cluster.pass(20_000);
        self.cluster.settle();
        self.listen();
    }

    fn is_healed(&self) -> bool {
        let latest = self.cluster.control.latest();
        let ends = self.holders().map(|core| {
            let knows = core.configuration() == latest && core.under_way() == 0;
            knows.then(|| (core.position(), core.end()))
        });
        let ends: Vec<_> = ends.collect();
        latest.in_sync.len() == self.replicas
            && ends.len() == self.replicas
            && self.clients.repeat_all().is_empty()
            && ends.iter().all(|end| end.is_some_and(|(position, end)| position == end) && *end == ends[0])
    }

    /// The replicas of the latest configuration.
    fn holders(&self) -> impl Iterator<Item = &Core> {
        let latest = self.cluster.control.latest();
        let hosts = self.cluster.hosts.iter().filter(|host| latest.replica_at(host.node).is_some());
        hosts.filter_map(|host| host.core.as_ref())
    }

    fn check_end(&mut self) {
        self.cluster.assert_equal();
        let history = &self.cluster.history;
        let primary = self.primary();
        let core = self.cluster.hosts[primary as usize - 1].core.as_ref().unwrap();
        assert_eq!(Some(core.position()), history.entries.last().map(|entry| entry.position));
        for core in self.holders() {
            let reader = core.reader();
            for map in [PLAIN, SCORED] {
                let rows = history.rows.iter().filter(|((of, _), _)| *of == map).count();
                assert_eq!(reader.len(map), Ok(rows));
            }
            let kept = core.log().after(core.log().floor()).unwrap();
            let first = history.entries.len() - kept.len();
            assert!(kept.eq(&history.entries[first..]), "another log");
        }
    }
}

#[test]
fn the_promises_hold() {
    let mut all = Seen::default();
    for seed in 0..SEEDS {
        let run = catch_unwind(AssertUnwindSafe(|| Chaos::new(seed).run()));
        let seen = run.unwrap_or_else(|_| panic!("seed {seed}"));
        all = Seen {
            promoted: all.promoted + seen.promoted,
            skipped: all.skipped + seen.skipped,
            admitted: all.admitted + seen.admitted,
            handed_over: all.handed_over + seen.handed_over,
            forwarded: all.forwarded + seen.forwarded,
            readmitted: all.readmitted + seen.readmitted,
            removed: all.removed + seen.removed,
            restarted: all.restarted + seen.restarted,
            lost: all.lost + seen.lost,
            refused: all.refused + seen.refused,
            answered: all.answered + seen.answered,
            repeated: all.repeated + seen.repeated,
            read: all.read + seen.read,
            entries: all.entries + seen.entries,
        };
    }
    assert!(all.each().iter().all(|(_, count)| *count > 10), "{all:?}");
}
