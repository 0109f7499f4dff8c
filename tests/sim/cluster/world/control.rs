//! The control group at work: proposals taken, applied and answered, leaders elected, nodes kept up with the log.

use embergrid::catalog::{Catalogue, Command, ConfigurationChange, Response, Step};
use embergrid::types::{Error, Incarnation, NodeId, PartitionId};

use super::super::control::{Answer, Applied, Asked, Asker};
use super::super::events::{ControlEvent, Event, Inner};
use super::super::oracle::{Verdict, balance, heirs, losses, steps};
use super::World;

/// How often somebody looks whether the leader is well.
const LOOK_EVERY_US: u64 = 40_000;
/// How long nobody may lead before somebody else does, at least.
const ELECTION_US: u64 = 150_000;
/// When a proposal that is not answered counts as lost.
const PATIENCE_US: u64 = 1_500_000;

impl World {
    /// A node asks whoever leads.
    pub(in crate::cluster) fn propose(&mut self, asked: Asked) {
        let delay_us = 200 + self.dice.below(2_000);
        // Now and then it takes a while.
        let delay_us = if !self.is_calm && self.dice.percent(3) { delay_us * 100 } else { delay_us };
        self.after(delay_us, Event::Control(ControlEvent::Propose(Box::new(asked))));
    }

    /// A node asks to be recorded as started.
    pub(super) fn start(&mut self, node: NodeId) {
        let (id, life, applied) = (node.0, self.machine(node).life, self.machine(node).applied);
        let last = self.control.state(applied).member(node).map(|member| member.incarnation);
        let command =
            Command::StartNode { node: super::node(id), after: Some(last.unwrap_or(Incarnation(0))) };
        self.propose(Asked { by: Asker::Start(node, life), command });
    }

    pub(super) fn govern(&mut self, event: ControlEvent) -> Verdict {
        match event {
            ControlEvent::Propose(asked) => self.take(*asked),
            ControlEvent::Commit { number, term } => return self.commit(number, term),
            ControlEvent::Look => return self.look_after_control(),
            ControlEvent::Learn(node) => return self.learn(node),
            ControlEvent::Evaluate { node, incarnation, round } => {
                let confirmed = self.control.leader == Some(node) && self.leads(node);
                // Who is refused has applied nothing for it, and may be cut off from all that was.
                let index = if confirmed { self.control.index() } else { 0 };
                let delay_us = self.dice.between(200, 4_000);
                let confirmed = Inner::Confirmed { round, confirmed, index };
                self.after(delay_us, Event::Within(node, incarnation, confirmed));
            }
        }
        Ok(())
    }

    /// Whether a node runs and hears a majority, which hears it.
    fn leads(&self, node: NodeId) -> bool {
        let runs = |node: NodeId| self.machines[node.0 as usize - 1].is_running(self.now_us);
        let hears = |other: &NodeId| runs(*other) && self.network.connects(node.into(), (*other).into());
        let voters = (1..=self.founders).map(NodeId);
        runs(node) && voters.filter(hears).count() as u64 * 2 > self.founders
    }

    fn take(&mut self, asked: Asked) {
        let hears = |leader: NodeId| {
            self.leads(leader)
                && asked.by.node().is_none_or(|node| self.network.connects(node.into(), leader.into()))
        };
        let Some(leader) = self.control.leader.filter(|leader| hears(*leader)) else {
            return self.refuse(&asked);
        };
        let not_before_us = self.ambush_taken(&asked.command, leader);
        let number = self.control.take(asked);
        let quick = self.is_calm || self.dice.percent(90);
        let delay_us = if quick { self.dice.between(500, 6_000) } else { self.dice.between(6_000, 400_000) };
        let term = self.control.term;
        let delay_us = delay_us.max(not_before_us);
        self.after(delay_us, Event::Control(ControlEvent::Commit { number, term }));
    }

    /// It was not taken, and the asker may learn so.
    fn refuse(&mut self, asked: &Asked) {
        if let Asker::Start(node, life) = asked.by {
            return self.after(100_000, Event::Start { node, life });
        }
        let answer = if self.dice.percent(50) { Answer::NotTaken } else { Answer::Unknown };
        let delay_us = self.dice.between(1_000, 400_000);
        self.tell(asked.by, answer, 0, delay_us);
    }

    fn tell(&mut self, by: Asker, answer: Answer, index: usize, delay_us: u64) {
        if let Asker::Supervisor(node, incarnation, _)
        | Asker::Primaries(node, incarnation)
        | Asker::Sessions(node, incarnation) = by
        {
            let until_us = self.now_us + delay_us + PATIENCE_US;
            let inner = Inner::Answer { by, answer, index, until_us };
            self.after(delay_us, Event::Within(node, incarnation, inner));
        }
    }

    fn commit(&mut self, number: u64, term: u64) -> Verdict {
        if self.control.term != term || !self.control.is_open(number) {
            return Ok(());
        }
        if !self.control.leader.is_some_and(|leader| self.leads(leader)) {
            // It waits for a majority, or for another leader.
            self.after(30_000, Event::Control(ControlEvent::Commit { number, term }));
            return Ok(());
        }
        match self.control.commit(number) {
            Some(applied) => self.applied(applied, true),
            None => Ok(()),
        }
    }

    /// A command is applied; whoever asked for it may learn so.
    fn applied(&mut self, applied: Applied, is_known: bool) -> Verdict {
        let Applied { asked, answer, index } = applied;
        self.trace.add(index);
        self.trace.add_text((&asked.command, &answer));
        let (before, after) = (self.control.state(index - 1).clone(), self.control.state(index).clone());
        self.account(&asked.command, &answer, &before, &after)?;
        if after.version > before.version {
            self.view = self.control.view(&after);
            self.oracles.compiled(&self.view.clone());
        }
        for node in self.nodes() {
            self.learn_soon(node);
        }
        self.strike(asked.by, index);
        if let Asker::Start(node, life) = asked.by {
            let event = match answer {
                Ok(Response::Started { incarnation, .. }) => Event::Boot { node, life, incarnation, index },
                // Another start of it was recorded meanwhile, of a process that is gone.
                _ => Event::Start { node, life },
            };
            self.after(20_000, event);
            return Ok(());
        }
        let is_hushed = self.ambush_applied(&asked.command);
        let is_lost = !is_known || is_hushed || (!self.is_calm && self.dice.percent(10));
        if is_lost {
            let delay_us = self.dice.between(300_000, PATIENCE_US);
            self.tell(asked.by, Answer::Unknown, 0, delay_us);
        } else {
            let delay_us = self.dice.between(200, 3_000);
            self.tell(asked.by, Answer::Applied(answer), index, delay_us);
        }
        Ok(())
    }

    /// What a command did to the partitions.
    fn account(
        &mut self,
        command: &Command,
        answer: &Result<Response, Error>,
        before: &Catalogue,
        after: &Catalogue,
    ) -> Verdict {
        if let (Command::Configure(changes), Ok(Response::Configured(outcomes))) = (command, answer) {
            let taken = changes.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok());
            let is_faulty = self.is_faulty();
            for (change, _) in taken {
                let ConfigurationChange { partition, step, .. } = change;
                if let Step::Expel { join } = step {
                    return Err(format!(
                        "replica {join} of partition {partition} holds other rows than most"
                    ));
                }
                before.configuration(*partition).map_or(Ok(()), |before| steps::check(before, change))?;
                if let (Step::Retire { .. }, Some(held)) = (step, after.configuration(*partition)) {
                    balance::retired(after, held)?;
                }
                let is_handed_over = matches!(step, Step::HandOver { .. });
                self.seen.handed_over += u64::from(is_handed_over);
                self.seen.handed_over_under_fault += u64::from(is_handed_over && is_faulty);
                self.seen.fills += u64::from(matches!(step, Step::Admit { .. }));
                self.seen.removals += u64::from(matches!(step, Step::Remove { .. }));
                self.seen.retired += u64::from(matches!(step, Step::Retire { .. }));
            }
        }
        self.say(|| format!("applied {command:?}"));
        let pairs = before.configurations().iter().zip(after.configurations());
        for (partition, (was, is)) in (0..).map(PartitionId).zip(pairs) {
            if was != is {
                self.say(|| format!("partition {partition}: {is:?}"));
            }
            let machines = &self.machines;
            let is_alive = |replica: &embergrid::catalog::Replica| {
                let host = machines[replica.node.0 as usize - 1].host.as_ref();
                let core = host.and_then(|host| host.core(partition));
                core.is_some_and(|core| core.reader().join() == replica.join)
            };
            losses::follows(&mut self.oracles, self.now_us, partition, was, is, is_alive)?;
            self.seen.lost += u64::from(is.is_lost() && !was.is_lost());
            self.check_copies(partition)?;
            let moved = was.primary != is.primary && !is.is_lost() && was.generation == is.generation;
            if moved && !is.handed_over {
                self.seen.promotions += 1;
                heirs::check(after, is)?;
            }
        }
        Ok(())
    }

    fn look_after_control(&mut self) -> Verdict {
        self.after(LOOK_EVERY_US, Event::Control(ControlEvent::Look));
        for node in self.nodes() {
            if self.machine(node).applied < self.control.index() {
                self.learn_soon(node);
            }
        }
        if self.control.leader.is_some_and(|leader| self.leads(leader)) {
            self.control.leaderless_since_us = None;
            return Ok(());
        }
        let since_us = *self.control.leaderless_since_us.get_or_insert(self.now_us);
        let patience_us = ELECTION_US + self.dice.below(300_000);
        if self.control.term > 0 && self.now_us < since_us + patience_us { Ok(()) } else { self.elect() }
    }

    /// Somebody who hears a majority leads from now on.
    pub(in crate::cluster) fn elect(&mut self) -> Verdict {
        let fit: Vec<NodeId> = (1..=self.founders).map(NodeId).filter(|node| self.leads(*node)).collect();
        if fit.is_empty() {
            return Ok(());
        }
        let leader = self.dice.one_of(&fit);
        let before = self.control.leader;
        self.seen.elections += u64::from(self.control.term > 0);
        self.trace.add(leader);
        self.say(|| format!("node {leader} leads the control group"));
        let (applied, gone) = self.control.elect(&mut self.dice, leader);
        for applied in applied {
            self.applied(applied, false)?;
        }
        for asked in gone {
            match asked.by {
                Asker::Start(..) => self.refuse(&asked),
                by => {
                    let delay_us = self.dice.between(1_000, 1_000_000);
                    self.tell(by, Answer::Unknown, 0, delay_us);
                }
            }
        }
        if let Some(before) = before.filter(|before| *before != leader) {
            // It learns so from the new leader, if it hears it.
            let hears = self.network.connects(before.into(), leader.into());
            let delay_us = self.dice.between(1_000, if hears { 50_000 } else { 8_000_000 });
            self.within_after(before, delay_us, Inner::Deposed);
        }
        let (term, delay_us) = (self.control.term, self.dice.between(1_000, 60_000));
        self.within_after(leader, delay_us, Inner::TakeLead { term });
        Ok(())
    }

    fn learn_soon(&mut self, node: NodeId) {
        let slow = !self.is_calm && self.dice.percent(10);
        let delay_us = if slow { self.dice.between(5_000, 300_000) } else { self.dice.between(300, 5_000) };
        self.after(delay_us, Event::Control(ControlEvent::Learn(node)));
    }

    /// A node applies one more command, or sees where several lead, if it hears of it.
    fn learn(&mut self, node: NodeId) -> Verdict {
        let (now_us, index) = (self.now_us, self.control.index());
        let Some(leader) = self.control.leader else { return Ok(()) };
        let machine = self.machine(node);
        let applied = machine.applied;
        if !machine.is_running(now_us) || applied >= index {
            return Ok(());
        }
        if !self.machine(leader).is_running(now_us) || !self.network.connects(node.into(), leader.into()) {
            return Ok(());
        }
        let next = if self.skips && self.dice.percent(60) { index } else { applied + 1 };
        self.say(|| format!("node {node} learns {next}"));
        self.follow(node, next)?;
        if next < index {
            let delay_us = self.dice.below(300);
            self.after(delay_us, Event::Control(ControlEvent::Learn(node)));
        }
        Ok(())
    }
}
