//! What goes wrong. One thing leads to the next before the last is over.

use embergrid::catalog::{Command, ConfigurationChange, Step};
use embergrid::types::{JoinId, NodeId, PartitionId};

use super::control::{Asked, Asker};
use super::events::Event;
use super::network::{Place, Weather};
use super::oracle::Verdict;
use super::world::{PARTITIONS, World};
use crate::grid;

impl World {
    /// Something goes wrong, and something else soon.
    pub(super) fn trouble(&mut self) -> Verdict {
        if self.is_calm {
            return Ok(());
        }
        let pause_us = self.dice.between(50_000, 900_000);
        self.after(pause_us, Event::Trouble);
        if self.dice.percent(20) {
            self.swap();
        }
        if self.plan.only_moves {
            match self.dice.below(100) {
                0..40 => self.join(),
                40..80 => self.drain(),
                _ => self.upgrade(),
            }
            return Ok(());
        }
        match self.dice.below(100) {
            0..14 => self.crash(),
            14..28 => {
                let node = self.any_node();
                self.pause(node);
            }
            28..40 => self.cut(),
            40..47 => {
                let node = self.any_node();
                self.isolate(node);
            }
            47..51 => self.cut_client(),
            51..52 => return self.forget_client(),
            52..65 => self.storm(),
            65..72 => return self.elect(),
            72..77 => self.upgrade(),
            77..81 => self.maim(),
            81..87 => self.join(),
            87..93 => self.drain(),
            93..96 => {
                let node = self.any_node();
                let machine = &mut self.machines[node.0 as usize - 1];
                machine.clock.jump(&mut self.dice);
            }
            _ => self.reconnect(),
        }
        Ok(())
    }

    fn crash(&mut self) {
        let node = self.any_node();
        let others_down = self.members().filter(|machine| !machine.is_on).count();
        // Mostly, one at a time.
        if !self.machine(node).is_on || (others_down > 0 && !self.dice.percent(15)) {
            return;
        }
        self.end(node);
        let back_us = if self.dice.percent(40) {
            self.dice.between(10_000, 300_000)
        } else {
            self.dice.between(300_000, 3_000_000)
        };
        self.after(back_us, Event::PowerOn(node));
    }

    /// A node is heard by some no longer, and then by nobody: the others have not got the same of it.
    fn maim(&mut self) {
        let (node, other) = (self.any_node(), self.any_node());
        self.say(|| format!("cut from {node} to {other}, and soon it crashes"));
        self.network.cut(node.into(), other.into());
        let after_us = self.dice.between(5_000, 200_000);
        self.after(after_us, Event::Crash(node));
        self.after(after_us, Event::Mend);
    }

    /// The process ends, if it still runs and nobody else's has.
    pub(super) fn crash_now(&mut self, node: NodeId) {
        if self.is_calm || !self.members().all(|machine| machine.is_on) {
            return;
        }
        self.end(node);
        let back_us = self.dice.between(50_000, 2_000_000);
        self.after(back_us, Event::PowerOn(node));
    }

    fn end(&mut self, node: NodeId) {
        self.seen.restarts += 1;
        self.note(901, node.0);
        self.say(|| format!("node {node} crashes"));
        self.bury(node.0 as usize - 1);
        let machine = self.machine(node);
        machine.life += 1;
        machine.crash();
        if self.control.leader == Some(node) {
            self.control.leader = None;
        }
        self.break_links_to(node);
        self.owing.forgive(node);
    }

    /// The primary of a partition is to hand its role to a backup, and that one soon to another.
    pub(super) fn swap(&mut self) {
        if self.is_calm {
            return;
        }
        let catalogue = self.control.latest().clone();
        let partition = PartitionId(self.dice.below(u64::from(PARTITIONS)) as u16);
        let after_us = self.dice.between(20_000, 400_000);
        if self.dice.percent(60) {
            self.after(after_us, Event::Swap);
        }
        let Some(held) = catalogue.configuration(partition).filter(|held| held.in_sync.len() > 1) else {
            return;
        };
        let others: Vec<JoinId> = held.in_sync.iter().map(|replica| replica.join).collect();
        let others: Vec<JoinId> = others.into_iter().filter(|join| *join != held.primary).collect();
        let Some(join) = others.get(self.dice.below(others.len().max(1) as u64) as usize).copied() else {
            return;
        };
        let (generation, epoch) = (held.generation, held.epoch);
        let step = Step::Appoint { join };
        self.order(Command::Configure(vec![ConfigurationChange { partition, generation, epoch, step }]));
    }

    /// Something goes wrong with a node at the very moment in which a change that it asked for takes effect.
    pub(super) fn strike(&mut self, by: Asker) {
        let Asker::Primaries(node, _) = by else { return };
        if self.is_calm || self.plan.only_moves || !self.dice.percent(8) {
            return;
        }
        match self.dice.below(3) {
            0 => self.crash_now(node),
            1 => self.pause(node),
            _ => self.isolate(node),
        }
    }

    /// Another node joins, if there is one.
    fn join(&mut self) {
        let Some(spare) = self.machines.iter_mut().find(|machine| !machine.is_member) else { return };
        spare.is_member = true;
        let node = spare.node;
        self.seen.joined += 1;
        self.say(|| format!("node {node} joins"));
        self.after(1, Event::PowerOn(node));
    }

    /// A node is to be stopped; mostly, one at a time.
    fn drain(&mut self) {
        let node = self.any_node();
        let catalogue = self.control.latest().clone();
        let is_another = catalogue.members().any(|member| member.draining);
        let Some(member) = catalogue.member(node).filter(|member| !member.draining) else { return };
        if is_another && (self.plan.only_moves || !self.dice.percent(20)) {
            return;
        }
        self.seen.draining += 1;
        self.say(|| format!("node {node} drains"));
        self.order(Command::DrainNode { node, incarnation: member.incarnation });
        let (life, patience_us) = (self.machine(node).life, self.dice.between(200_000, 4_000_000));
        let until_us = self.now_us + patience_us;
        self.after(20_000, Event::Stop { node, life, until_us });
    }

    /// The process ends if nobody needs its node, as far as that one knows, or when it has waited for so long.
    pub(super) fn stop(&mut self, node: NodeId, life: u64, until_us: u64) {
        let machine = &self.machines[node.0 as usize - 1];
        let Some(host) = machine.host.as_ref().filter(|_| machine.life == life && !self.is_calm) else {
            return;
        };
        let is_safe = host.catalogue().is_safe_to_stop(node);
        let waits = !is_safe && (self.now_us < until_us || self.plan.only_moves);
        if waits || !machine.is_running(self.now_us) {
            return self.after(50_000, Event::Stop { node, life, until_us });
        }
        self.seen.drained += u64::from(is_safe);
        if self.plan.only_moves {
            return;
        }
        self.end(node);
        let back_us = self.dice.between(50_000, 2_500_000);
        self.after(back_us, Event::PowerOn(node));
    }

    fn pause(&mut self, node: NodeId) {
        let pause_us =
            if self.dice.percent(50) { self.dice.below(300_000) } else { self.dice.below(2_500_000) };
        let until_us = self.now_us + pause_us;
        self.say(|| format!("node {node} stands still until {until_us}"));
        let machine = self.machine(node);
        if machine.is_on {
            machine.paused_until_us = machine.paused_until_us.max(until_us);
        }
    }

    fn cut(&mut self) {
        let (from, to) = (self.any_node(), self.any_node());
        self.say(|| format!("cut from {from} to {to}"));
        self.network.cut(from.into(), to.into());
        if self.dice.percent(50) {
            self.network.cut(to.into(), from.into());
        }
        self.mend_later();
    }

    fn isolate(&mut self, node: NodeId) {
        self.say(|| format!("node {node} is cut off"));
        let others: Vec<Place> = self.machines.iter().map(|machine| machine.node.into()).collect();
        self.network.isolate(node.into(), others.into_iter().filter(|other| *other != node.into()));
        self.mend_later();
    }

    fn cut_client(&mut self) {
        let (node, client) = (self.any_node(), Place::Client(self.dice.below(10) as usize));
        self.network.isolate(client, [node.into()]);
        self.mend_later();
    }

    /// A client is cut off from everybody, for so long that its session is over.
    fn forget_client(&mut self) -> Verdict {
        let client = self.dice.below(10) as usize;
        let nodes: Vec<Place> = self.machines.iter().map(|machine| machine.node.into()).collect();
        self.say(|| format!("client {client} is cut off, and its session is over"));
        self.network.isolate(Place::Client(client), nodes);
        self.mend_later();
        self.abandon(client)
    }

    fn mend_later(&mut self) {
        let long = self.dice.percent(40);
        let after_us = if long { self.dice.below(3_000_000) } else { self.dice.below(500_000) };
        self.after(after_us, Event::Mend);
    }

    fn storm(&mut self) {
        self.network.weather = Weather {
            lost: self.dice.below(15),
            twice: self.dice.below(15),
            slow_us: self.dice.one_of(&[0, 5_000, 30_000, 150_000]),
        };
        let after_us = self.dice.below(2_000_000);
        self.after(after_us, Event::Clear);
    }

    /// Another version of the model takes over.
    fn upgrade(&mut self) {
        let model = self.control.latest().model("risk").map(|model| model.aliases()["champion"]);
        if model != Ok(self.version) {
            // The one before is on its way.
            return;
        }
        self.version += 1;
        self.seen.upgrades += 1;
        self.order(grid::upgrade(self.version));
    }

    fn order(&mut self, command: Command) {
        self.propose(Asked { by: Asker::Operator, command });
    }

    /// The operator looks whether something is lost, and begins it anew.
    pub(super) fn operate(&mut self) {
        let pause_us = self.dice.between(200_000, 1_500_000);
        self.after(pause_us, Event::Operator);
        if self.control.latest().configurations().iter().any(|held| held.is_lost()) {
            self.order(Command::ResetLost { unavailable: false });
        }
    }
}
