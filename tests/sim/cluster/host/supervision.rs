//! Runs the supervisor: beacons in and out, what it decides carried out; and brings the worker to each placement. What is
//! posted to the worker first, the worker sees first.

use std::sync::Arc;

use embergrid::catalog::supervisor::{Beacon, Effect, Grant, Input};
use embergrid::catalog::{Catalogue, Command, ConfigurationChange, Response};
use embergrid::partition::Proposal;
use embergrid::types::{Epoch, Generation, PartitionId};

use super::{Host, Message, Out};
use crate::cluster::clock::Clock;
use crate::cluster::control::{Answer, Asker};

/// How often a node tells the others that it is there.
pub(crate) const BEACON_EVERY_US: u64 = 50_000;

/// What nodes tell each other unasked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    Beacon(Beacon),
    Grant(Grant),
}

/// A change that a primary asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposed {
    pub(super) partition: PartitionId,
    pub(super) generation: Generation,
    pub(super) epoch: Epoch,
    pub(super) change: Proposal,
}

impl Proposed {
    fn change(&self) -> ConfigurationChange {
        let Proposed { partition, generation, epoch, change } = *self;
        ConfigurationChange { partition, generation, epoch, step: change.step() }
    }
}

impl Host {
    /// When the supervisor wants a tick, on the node's clock.
    pub(crate) fn supervisor_deadline_us(&self) -> u64 {
        self.supervisor.next_deadline()
    }

    /// The catalogue is this now. The placement first, for what follows from it may be decided by it.
    pub(crate) fn follow(
        &mut self,
        clock: &Clock,
        now_us: u64,
        catalogue: &Arc<Catalogue>,
        out: &mut Vec<Out>,
    ) {
        self.catalogue = catalogue.clone();
        if catalogue.placement > self.placement {
            self.placement = catalogue.placement;
            self.primaries = catalogue.configurations().iter().map(|held| held.primary_node()).collect();
            self.post(Message::Placement(catalogue.clone()));
        }
        self.supervise(clock, now_us, Input::Catalogue(catalogue.clone()), out);
        if let Some(grant) = self.early.take() {
            self.take_grant(grant);
        }
    }

    pub(crate) fn hear(&mut self, clock: &Clock, now_us: u64, told: Told, out: &mut Vec<Out>) {
        match told {
            Told::Beacon(beacon) => self.supervise(clock, now_us, Input::Beacon(beacon), out),
            Told::Grant(grant) => self.take_grant(grant),
        }
    }

    /// Tells everybody that this node is there, itself included.
    pub(crate) fn beacon(&mut self, clock: &Clock, now_us: u64, out: &mut Vec<Out>) {
        let (from, incarnation) = (self.setup.node, self.setup.incarnation);
        let now = clock.now(now_us);
        let beacon = Beacon { from, incarnation, sent_us: now.mono_us, hears_you: true };
        for to in self.catalogue.members().map(|member| member.node.id).filter(|node| *node != from) {
            let beacon = Beacon { hears_you: self.supervisor.hears(now, to), ..beacon };
            out.push(Out::Told { to, told: Told::Beacon(beacon) });
        }
        self.supervise(clock, now_us, Input::Beacon(beacon), out);
    }

    pub(crate) fn supervise(&mut self, clock: &Clock, now_us: u64, input: Input, out: &mut Vec<Out>) {
        self.vigil.note(now_us, self.setup.settings.failure_timeout_us);
        let mut effects = Vec::new();
        self.supervisor.handle(clock.now(now_us), input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Propose { proposal, command } => {
                    let by = Asker::Supervisor(self.setup.node, self.setup.incarnation, proposal);
                    out.push(Out::Propose { by, command: Box::new(command) });
                }
                Effect::Confirm { round } => out.push(Out::Confirm { round }),
                Effect::Grant(grant) if grant.to == self.setup.node => self.take_grant(grant),
                Effect::Grant(grant) => out.push(Out::Told { to: grant.to, told: Told::Grant(grant) }),
            }
        }
    }

    /// A lease for what this node holds alone; for nothing else, and not before the placement is known by which it was
    /// granted.
    fn take_grant(&mut self, grant: Grant) {
        if grant.to != self.setup.node || grant.incarnation != self.setup.incarnation {
            return;
        }
        if grant.placement > self.placement {
            self.early = Some(grant);
            return;
        }
        let until_us = grant.sent_us.saturating_add(self.setup.settings.lease_us);
        self.post(Message::Lease { until_us });
    }

    /// Proposes what the primaries ask for. What comes while a proposal is under way goes into the next one.
    pub(super) fn ask(&mut self, out: &mut Vec<Out>) {
        if !self.asked.is_empty() || self.proposed.is_empty() {
            return;
        }
        self.asked = std::mem::take(&mut self.proposed);
        let by = Asker::Primaries(self.setup.node, self.setup.incarnation);
        let changes = self.asked.iter().map(Proposed::change).collect();
        out.push(Out::Propose { by, command: Box::new(Command::Configure(changes)) });
    }

    /// What became of it.
    pub(crate) fn answered(&mut self, answer: Answer, out: &mut Vec<Out>) {
        let asked = std::mem::take(&mut self.asked);
        let refused: Vec<bool> = match answer {
            Answer::Applied(Ok(Response::Configured(outcomes))) => {
                outcomes.iter().map(Result::is_err).collect()
            }
            Answer::Applied(_) | Answer::NotTaken => vec![true; asked.len()],
            // The primaries learn it from the epoch, or ask again.
            Answer::Unknown => Vec::new(),
        };
        for (proposed, is_refused) in asked.into_iter().zip(refused) {
            let (Proposal::Admit { join } | Proposal::HandOver { join }) = proposed.change else { continue };
            if is_refused {
                let Proposed { partition, epoch, .. } = proposed;
                self.post(Message::Refused { partition, epoch, join });
            }
        }
        self.ask(out);
    }
}
