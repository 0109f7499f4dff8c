//! Nodes crash, stand still, join, drain and are stopped; their clocks are set.

use embergrid::catalog::Command;
use embergrid::types::{NodeId, PartitionId};

use crate::cluster::events::Event;
use crate::cluster::world::{PARTITIONS, World};
use crate::dice::Dice;

impl World {
    pub(super) fn crash(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        let others_down = self.members().filter(|machine| !machine.is_on).count();
        // Mostly, one at a time.
        if !self.machine(node).is_on || (others_down > 0 && !dice.percent(15)) {
            return None;
        }
        self.end(node);
        let soon = dice.percent(40);
        let back_us = if soon { dice.between(10_000, 300_000) } else { dice.between(300_000, 3_000_000) };
        self.after(back_us, Event::PowerOn(node));
        Some(format!("node {node} crashes, and is back after {back_us} us"))
    }

    /// A primary is heard by some no longer, and then by nobody: the others have not got the same of it. And one of these may
    /// not be heard by another, while it takes over.
    pub(super) fn maim(&mut self, dice: &mut Dice) -> Option<String> {
        let partition = PartitionId(dice.below(u64::from(PARTITIONS)) as u16);
        let held = self.control.latest().configuration(partition)?;
        let node = held.primary_node()?;
        let others = held.in_sync.iter().map(|replica| replica.node).filter(|other| *other != node);
        let mut others: Vec<NodeId> = others.collect();
        if others.is_empty() {
            return None;
        }
        let first = dice.below(others.len() as u64) as usize;
        others.rotate_left(first);
        let other = others[0];
        let after_us = dice.between(5_000, 200_000);
        let back_us = dice.between(50_000, 2_000_000);
        self.cut_way(node.into(), other.into(), after_us);
        self.after(after_us, Event::Crash { node, back_us });
        if let Some(third) = others.get(1).filter(|_| dice.percent(60)) {
            self.cut_way(other.into(), (*third).into(), after_us + dice.between(300_000, 1_500_000));
        }
        Some(format!("cut from node {node} to node {other}, and soon node {node} crashes"))
    }

    /// The process ends, if it still runs and nobody else's has.
    pub(in crate::cluster) fn crash_now(&mut self, node: NodeId, back_us: u64) {
        if self.is_calm || !self.members().all(|machine| machine.is_on) {
            return;
        }
        self.end(node);
        self.after(back_us, Event::PowerOn(node));
    }

    fn end(&mut self, node: NodeId) {
        self.seen.restarts += 1;
        self.say(|| format!("node {node} ends"));
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

    /// Another node joins, if there is one.
    pub(super) fn join(&mut self) -> Option<String> {
        let spare = self.machines.iter_mut().find(|machine| !machine.is_member)?;
        spare.is_member = true;
        let node = spare.node;
        self.seen.joined += 1;
        self.after(1, Event::PowerOn(node));
        Some(format!("node {node} joins"))
    }

    /// A node is to be stopped; mostly, one at a time.
    pub(super) fn drain(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        let catalogue = self.control.latest().clone();
        let is_another = catalogue.members().any(|member| member.draining);
        let member = catalogue.member(node).filter(|member| !member.draining)?;
        if is_another && (self.plan.only_moves || !dice.percent(20)) {
            return None;
        }
        self.seen.draining += 1;
        self.order(Command::DrainNode { node, incarnation: member.incarnation });
        let (life, patience_us) = (self.machine(node).life, dice.between(200_000, 4_000_000));
        let back_us = dice.between(50_000, 2_500_000);
        let until_us = self.now_us + patience_us;
        self.after(20_000, Event::Stop { node, life, until_us, back_us });
        Some(format!("node {node} drains, for {patience_us} us at most"))
    }

    /// The process ends if nobody needs its node, as far as that one knows, or when it has waited for so long.
    pub(in crate::cluster) fn stop(&mut self, node: NodeId, life: u64, until_us: u64, back_us: u64) {
        let machine = &self.machines[node.0 as usize - 1];
        if machine.life != life {
            return;
        }
        // One that is about to start ends as well, when it has.
        let is_safe = machine.host.as_ref().is_some_and(|host| host.catalogue().is_safe_to_stop(node));
        let waits = !is_safe && (self.now_us < until_us || self.plan.only_moves);
        if waits || !machine.is_running(self.now_us) {
            return self.after(50_000, Event::Stop { node, life, until_us, back_us });
        }
        self.seen.drained += u64::from(is_safe);
        if self.plan.only_moves {
            return;
        }
        self.end(node);
        self.after(back_us, Event::PowerOn(node));
    }

    pub(super) fn pause(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        let pause_us = if dice.percent(50) { dice.below(300_000) } else { dice.below(2_500_000) };
        self.machine(node).is_on.then(|| self.stand_still(node, pause_us))
    }

    /// A process stands still; what is said about it.
    pub(in crate::cluster) fn stand_still(&mut self, node: NodeId, pause_us: u64) -> String {
        let until_us = self.now_us + pause_us;
        let machine = self.machine(node);
        machine.paused_until_us = machine.paused_until_us.max(until_us);
        format!("node {node} stands still until {until_us}")
    }

    pub(super) fn set_clock(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        self.machine(node).clock.jump(dice);
        Some(format!("somebody sets the time of day at node {node}"))
    }
}
