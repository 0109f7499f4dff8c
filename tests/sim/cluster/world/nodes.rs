//! What happens to nodes and within them, and what they do to the world.

use std::sync::Arc;

use embergrid::catalog::supervisor::Input;
use embergrid::catalog::{Command, Replica};
use embergrid::partition::{Entry, Frame};
use embergrid::types::{Error, Incarnation, NodeId, PartitionId};

use super::super::control::{Answer, Asked, Asker};
use super::super::events::{Arrival, ControlEvent, Event, Forwarded, Inner};
use super::super::host::{BEACON_EVERY_US, Host, Message, Setup, Told};
use super::super::models;
use super::super::oracle::{Verdict, copies, leases};
use super::{Out, PARTITIONS, World};

/// How often the node looks for what is due.
const WAKE_EVERY_US: u64 = 5_000;
const BOOKMARK_EVERY_US: u64 = 250_000;

impl World {
    pub(super) fn arrive(&mut self, node: NodeId, arrival: Arrival) -> Verdict {
        let now_us = self.now_us;
        let machine = &mut self.machines[node.0 as usize - 1];
        let Some(host) = &mut machine.host else {
            self.miss(&arrival);
            return Ok(());
        };
        let mut out = Vec::new();
        match arrival {
            Arrival::Post(message) => host.post(message),
            Arrival::Told(told) => host.hear(&machine.clock, now_us, told, &mut out),
            Arrival::Passed(batch) => self.take_batch(node, batch),
            Arrival::Forwarded { from, forwarded, until_us } => {
                self.take_forwarded(node, from, forwarded, until_us);
            }
            Arrival::Subscriber(partition, subscription) => {
                host.post(Message::Subscribe(partition, subscription));
            }
        }
        self.perform(node, out)
    }

    /// Something that ends with this start of the node.
    pub(super) fn within_after(&mut self, node: NodeId, delay_us: u64, inner: Inner) {
        if let Some(incarnation) = self.machine(node).incarnation() {
            self.after(delay_us, Event::Within(node, incarnation, inner));
        }
    }

    pub(super) fn within(&mut self, node: NodeId, inner: Inner) -> Verdict {
        let now_us = self.now_us;
        let machine = &mut self.machines[node.0 as usize - 1];
        let Some(host) = &mut machine.host else { return Ok(()) };
        let mut out = Vec::new();
        match inner {
            Inner::Work => {
                machine.is_work_due = false;
                host.work(&machine.clock, now_us, &mut out);
            }
            Inner::Wake(at_us) => {
                if machine.wake_us != Some(at_us) {
                    return Ok(());
                }
                machine.wake_us = None;
                host.post(Message::Tick);
            }
            Inner::SupervisorTick(at_us) => {
                if machine.tick_us != Some(at_us) {
                    return Ok(());
                }
                machine.tick_us = None;
                host.supervise(&machine.clock, now_us, Input::Tick, &mut out);
            }
            Inner::Beat => {
                host.beacon(&machine.clock, now_us, &mut out);
                self.within_after(node, BEACON_EVERY_US, Inner::Beat);
            }
            Inner::Bookmark => {
                host.post(Message::Bookmark);
                self.within_after(node, BOOKMARK_EVERY_US, Inner::Bookmark);
            }
            Inner::Post(message) => host.post(message),
            Inner::Look { read, reader } => self.look(node, read, reader),
            Inner::Check { read, reader, found, expected } => {
                return self.check(node, read, &reader, found, &expected);
            }
            Inner::Answer { by, answer, index, until_us } => {
                return self.answer_proposal(node, by, answer, index, until_us);
            }
            Inner::Confirmed { round, confirmed, index } => {
                return self.answer_confirmation(node, round, confirmed, index);
            }
            Inner::TakeLead { term } => return self.take_lead(node, term),
            Inner::Deposed => {
                if self.control.leader != Some(node) {
                    host.supervise(&machine.clock, now_us, Input::NotLeading, &mut out);
                }
            }
            Inner::Greet { stream, until_us } => self.greet(node, stream, until_us, &mut out),
            Inner::TellPlaces(stream) => self.tell_places(node, stream),
            Inner::Returned { batch, replies } => self.settle_batch(batch, replies),
            Inner::Lost { batch } => self.settle_batch(batch, Vec::new()),
            Inner::Paid { slot, answer } => self.pay(node, slot, answer),
        }
        self.perform(node, out)
    }

    /// Does what the node wants done, and sees to it that it is woken.
    pub(super) fn perform(&mut self, node: NodeId, out: Vec<Out>) -> Verdict {
        for out in out {
            self.perform_one(node, out)?;
        }
        self.wake(node);
        Ok(())
    }

    fn perform_one(&mut self, node: NodeId, out: Out) -> Verdict {
        self.trace.effect(node, &out);
        match out {
            Out::Frames { to, frames } => self.send_frames(node, to, &frames),
            Out::Told { to, told } => {
                if let Told::Grant(grant) = told {
                    self.seen.grants += 1;
                    self.say(|| format!("node {node}: {grant:?}"));
                }
                if let Some(delay_us) = self.network.delay_us(&mut self.dice, node.into(), to.into()) {
                    self.after(delay_us, Event::Arrives(to, Arrival::Told(told)));
                }
            }
            Out::Reply { origin, answer, at_once } => return self.reply(node, origin, answer, at_once),
            Out::Forward { partition, to, request, placement } => {
                self.forward(node, Forwarded { to, partition, request, placement });
            }
            Out::Published { partition, entry } => {
                self.say(|| format!("node {node} commits {} of partition {partition}", entry.position));
                return self.committed(partition, &entry);
            }
            Out::Score(tasks) => {
                let wrong = self.plan.wrong_scores && self.dice.percent(20);
                for (delay_us, scored) in models::score(&mut self.dice, tasks, wrong, self.is_calm) {
                    self.within_after(node, delay_us, Inner::Post(Message::Scored(scored)));
                }
            }
            Out::Feed { partition, effect } => self.deliver(node, partition, effect),
            Out::Needless { partition, id, why } => {
                return Err(format!(
                    "node {node}, partition {partition}: {id:?} is told of an overrun {why}"
                ));
            }
            Out::Differ(difference) => return Err(format!("replicas differ: {difference:?}")),
            Out::Propose { by, command } => {
                if let (Command::FailNode { .. }, Some(host)) = (&*command, &self.machine(node).host) {
                    host.vigil.check(host.setup.settings.failure_timeout_us)?;
                }
                self.propose(Asked { by, command: *command });
            }
            Out::Confirm { round } => {
                let delay_us = self.dice.between(500, 6_000);
                if let Some(incarnation) = self.machine(node).incarnation() {
                    let evaluate = ControlEvent::Evaluate { node, incarnation, round };
                    self.after(delay_us, Event::Control(evaluate));
                }
            }
        }
        Ok(())
    }

    /// A replica has committed an entry.
    fn committed(&mut self, partition: PartitionId, entry: &Arc<Entry>) -> Verdict {
        let before = self.oracles.of(partition).last();
        self.oracles.published(partition, entry)?;
        if before.is_some_and(|before| before >= entry.position) {
            return Ok(());
        }
        self.check_copies(partition)?;
        for machine in &self.machines {
            let Some(host) = &machine.host else { continue };
            let (Ok(reader), Some(core)) = (host.reader(partition), host.core(partition)) else { continue };
            if reader.check(machine.clock.mono_us(self.now_us)).is_ok() {
                leases::check(entry, machine.node, core)?;
            }
        }
        Ok(())
    }

    /// Whoever may be promoted has all that is committed.
    pub(super) fn check_copies(&self, partition: PartitionId) -> Verdict {
        let catalogue = self.control.latest();
        let held = catalogue.configuration(partition).zip(self.oracles.of(partition).last());
        let core = |replica: &Replica| {
            let core = self.machines[replica.node.0 as usize - 1].host.as_ref()?.core(partition)?;
            (core.reader().join() == replica.join).then_some(core)
        };
        held.map_or(Ok(()), |(held, committed)| copies::check(committed, held, core))
    }

    fn send_frames(&mut self, from: NodeId, to: NodeId, frames: &[Frame]) {
        if self.network.is_stuck(from, to) {
            return;
        }
        let copies = 1 + u64::from(self.network.arrives_twice(&mut self.dice));
        for _ in 0..copies {
            if let Some(delay_us) = self.network.delay_us(&mut self.dice, from.into(), to.into()) {
                let frames = Message::Frames(frames.to_vec());
                self.after(delay_us, Event::Arrives(to, Arrival::Post(frames)));
            }
        }
    }

    /// Schedules the node's next tick, and its supervisor's.
    fn wake(&mut self, node: NodeId) {
        let now_us = self.now_us;
        let jitter_us = self.dice.below(WAKE_EVERY_US);
        let work_us = self.dice.below(120);
        let machine = &mut self.machines[node.0 as usize - 1];
        let Some(host) = &machine.host else { return };
        let incarnation = host.setup.incarnation;
        let mut due = Vec::new();
        if host.has_mail() && !std::mem::replace(&mut machine.is_work_due, true) {
            due.push((now_us + work_us, Inner::Work));
        }
        if let Some(deadline_us) = host.deadline_us().filter(|_| !host.has_mail()) {
            let at_us = machine.clock.true_us(deadline_us).max(now_us + 1);
            if machine.wake_us.is_none_or(|wake_us| at_us + WAKE_EVERY_US < wake_us) {
                machine.wake_us = Some(at_us + jitter_us);
                due.push((at_us + jitter_us, Inner::Wake(at_us + jitter_us)));
            }
        }
        let at_us = machine.clock.true_us(host.supervisor_deadline_us()).max(now_us + 1_000);
        if machine.tick_us.is_none_or(|tick_us| at_us < tick_us || tick_us <= now_us) {
            machine.tick_us = Some(at_us);
            due.push((at_us, Inner::SupervisorTick(at_us)));
        }
        for (at_us, inner) in due {
            self.after(at_us - now_us, Event::Within(node, incarnation, inner));
        }
    }

    /// The node's catalogue moves on.
    pub(super) fn follow(&mut self, node: NodeId, index: usize) -> Verdict {
        let now_us = self.now_us;
        let catalogue = self.control.state(index).clone();
        let machine = &mut self.machines[node.0 as usize - 1];
        machine.applied = index;
        let Some(host) = &mut machine.host else { return Ok(()) };
        let is_new = catalogue.version > host.catalogue().version;
        let is_placed_anew = catalogue.placement > host.catalogue().placement;
        let mut out = Vec::new();
        host.follow(&machine.clock, now_us, &catalogue, &mut out);
        if is_placed_anew {
            self.tell_places_soon(node);
        }
        if is_new {
            // Compiled by a task of its own, which may have to wait for a processor.
            let view = self.control.view(&catalogue);
            let slow = !self.is_calm && self.dice.percent(10);
            let delay_us = if slow { self.dice.below(250_000) } else { self.dice.below(3_000) };
            self.within_after(node, delay_us, Inner::Post(Message::View(view)));
        }
        self.perform(node, out)
    }

    pub(super) fn power_on(&mut self, node: NodeId) {
        if !std::mem::replace(&mut self.machine(node).is_on, true) {
            self.start(node);
        }
    }

    /// The node's start is recorded: it goes on when it has applied that.
    pub(super) fn boot_when_ready(
        &mut self,
        node: NodeId,
        life: u64,
        incarnation: Incarnation,
        index: usize,
    ) {
        let machine = self.machine(node);
        if machine.life != life || !machine.is_on || machine.host.is_some() {
            return;
        }
        if machine.applied < index {
            return self.after(5_000, Event::Boot { node, life, incarnation, index });
        }
        let applied = machine.applied;
        self.boot(node, incarnation, applied);
    }

    pub(super) fn boot(&mut self, node: NodeId, incarnation: Incarnation, index: usize) {
        self.say(|| format!("node {node} starts, for the {incarnation}. time"));
        let catalogue = self.control.state(index).clone();
        let view = self.control.view(&catalogue);
        let setup =
            Setup { node, incarnation, limits: self.limits, timing: self.timing, settings: self.settings };
        let now_us = self.now_us;
        let machine = self.machine(node);
        let mut host = Host::new(setup, PARTITIONS, view);
        let mut out = Vec::new();
        host.follow(&machine.clock, now_us, &catalogue, &mut out);
        host.fetch_sessions(&mut out);
        machine.host = Some(host);
        let said = self.perform(node, out);
        debug_assert!(said.is_ok(), "a node that starts has nothing to say");
        let beat_us = self.dice.below(BEACON_EVERY_US);
        self.within_after(node, beat_us, Inner::Beat);
        self.within_after(node, BOOKMARK_EVERY_US, Inner::Bookmark);
        if self.control.leader == Some(node) {
            let term = self.control.term;
            self.within_after(node, beat_us, Inner::TakeLead { term });
        }
    }
}

impl World {
    /// A proposal is answered at the node that made it, which has applied it by then.
    fn answer_proposal(
        &mut self,
        node: NodeId,
        by: Asker,
        answer: Answer,
        index: usize,
        until_us: u64,
    ) -> Verdict {
        let now_us = self.now_us;
        let machine = &mut self.machines[node.0 as usize - 1];
        let mut answer = answer;
        if machine.applied < index {
            if now_us < until_us {
                self.within_after(node, 3_000, Inner::Answer { by, answer, index, until_us });
                return Ok(());
            }
            answer = Answer::Unknown;
        }
        let Some(host) = &mut machine.host else { return Ok(()) };
        let mut out = Vec::new();
        match by {
            Asker::Supervisor(_, _, proposal) => {
                let answer = match answer {
                    Answer::Applied(answer) => answer,
                    Answer::NotTaken => Err(Error::unavailable("not taken")),
                    Answer::Unknown => Err(Error::unavailable("nobody knows")),
                };
                let catalogue = host.catalogue().clone();
                let outcome = Input::Outcome { proposal, answer, catalogue };
                host.supervise(&machine.clock, now_us, outcome, &mut out);
            }
            Asker::Primaries(..) => host.answered(answer, &mut out),
            Asker::Sessions(..) => host.granted(answer, &mut out),
            Asker::Start(..) | Asker::Operator => {}
        }
        self.perform(node, out)
    }

    fn answer_confirmation(&mut self, node: NodeId, round: u64, confirmed: bool, index: usize) -> Verdict {
        let now_us = self.now_us;
        if self.machine(node).applied < index {
            self.within_after(node, 3_000, Inner::Confirmed { round, confirmed, index });
            return Ok(());
        }
        let machine = &mut self.machines[node.0 as usize - 1];
        let Some(host) = &mut machine.host else { return Ok(()) };
        let (mut out, catalogue) = (Vec::new(), host.catalogue().clone());
        let input = Input::Confirmed { round, confirmed, catalogue };
        host.supervise(&machine.clock, now_us, input, &mut out);
        self.perform(node, out)
    }

    /// The first entry of the leader's term is applied.
    fn take_lead(&mut self, node: NodeId, term: u64) -> Verdict {
        if self.control.term != term || self.control.leader != Some(node) {
            return Ok(());
        }
        let index = self.control.index();
        if self.machine(node).applied < index {
            self.follow(node, index)?;
        }
        let now_us = self.now_us;
        let machine = &mut self.machines[node.0 as usize - 1];
        let Some(host) = &mut machine.host else { return Ok(()) };
        let (mut out, catalogue) = (Vec::new(), host.catalogue().clone());
        host.supervise(&machine.clock, now_us, Input::Leading(catalogue), &mut out);
        self.perform(node, out)
    }
}
