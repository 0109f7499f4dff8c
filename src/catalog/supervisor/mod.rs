//! PURE: who is heard, and what the control leader makes of it.
//!
//! Every node runs a [`Supervisor`] and keeps the ages of all beacons in it, so that a new control leader need not
//! relearn them; only while its node leads does it decide anything. It proposes that silent nodes leave their
//! partitions, that replicas are filled where some are missing, and that partitions move to where there is room; and it
//! grants leases to those who hold a partition alone.
//!
//! Rule 14 of the protocol rests on the *tenure*, a number of the catalogue that each new control leader raises before
//! it grants or moves anything. A grant is given for a beacon that came before the control group confirmed that the
//! tenure is the present one. A sole holder is moved, by [`Step::Promote`](crate::catalog::Step::Promote), only in the
//! tenure in which every grant of the tenures before and of this one was waited out; a proposal from another tenure,
//! however late it is applied, is refused. So neither needs to know when exactly a leader was deposed.

mod ages;
mod fills;
mod grants;
mod leadership;
mod message;
mod moves;
mod picture;
mod promotions;
mod proposals;
mod room;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

pub use message::{Beacon, Effect, Grant, Input, ProposalId};
pub use settings::Settings;

use self::{ages::Ages, leadership::Leadership, picture::Picture};
use super::Catalogue;
use crate::types::{NodeId, Now};

/// Watches over the nodes of a cluster, for one of them.
#[derive(Debug)]
pub struct Supervisor {
    me: NodeId,
    settings: Settings,
    ages: Ages,
    picture: Picture,
    leadership: Option<Leadership>,
    /// Numbers proposals and confirmations over all leaderships of this node.
    next: u64,
}

/// What a leader decides by.
struct View<'a> {
    settings: &'a Settings,
    ages: &'a Ages,
    picture: &'a Picture,
    me: NodeId,
    now_us: u64,
    /// The members of which nothing but good is known.
    present: &'a BTreeSet<NodeId>,
}

impl Supervisor {
    /// A supervisor that knows of nothing yet.
    pub fn new(me: NodeId, settings: Settings) -> Self {
        let (ages, picture) = (Ages::new(&settings), Picture::default());
        Supervisor { me, settings, ages, picture, leadership: None, next: 1 }
    }

    /// Takes one input; appends what is to be done.
    pub fn handle(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let now_us = now.mono_us;
        self.ages.watch(now_us);
        match input {
            Input::Beacon(beacon) => self.ages.beacon(now_us, &beacon),
            Input::Catalogue(catalogue) => self.learn(now_us, catalogue),
            Input::Leading(catalogue) => {
                self.learn(now_us, catalogue);
                self.leadership = Some(Leadership::new(now_us));
            }
            Input::NotLeading => self.leadership = None,
            Input::Outcome { proposal, answer, catalogue } => {
                self.learn(now_us, catalogue);
                if let Some(leadership) = &mut self.leadership {
                    leadership.handle_outcome(now_us, proposal, answer, &self.settings);
                }
            }
            Input::Confirmed { round, confirmed, catalogue } => {
                self.learn(now_us, catalogue);
                self.decide(now_us, effects, |leadership, view, _, effects| {
                    leadership.handle_confirmed(view, round, confirmed, effects);
                });
            }
            Input::Tick => {}
        }
        self.decide(now_us, effects, |leadership, view, next, effects| leadership.act(view, next, effects));
    }

    /// Whether this node has heard another lately; what its beacons to that one are to say.
    pub fn hears(&self, now: Now, node: NodeId) -> bool {
        node == self.me || self.ages.hears(now.mono_us, node)
    }

    /// When a tick is due, unless another input comes first.
    pub fn next_deadline(&self) -> u64 {
        let due = self.ages.last_input_us().saturating_add(self.settings.tick_us);
        match &self.leadership {
            Some(leadership) => self
                .picture
                .others_up(self.me)
                .map(|member| self.ages.silent_at(member, leadership.since_us()))
                // What is silent already is in hand, and ticks carry it on.
                .filter(|silent_us| *silent_us > self.ages.last_input_us())
                .fold(due, u64::min),
            None => due,
        }
    }

    /// Takes the catalogue in, unless a later one is known.
    fn learn(&mut self, now_us: u64, catalogue: Arc<Catalogue>) {
        if !self.picture.is_newer(&catalogue) {
            return;
        }
        self.ages.follow(now_us, &catalogue);
        self.picture = Picture::of(catalogue);
    }

    fn decide(
        &mut self,
        now_us: u64,
        effects: &mut Vec<Effect>,
        decide: impl FnOnce(&mut Leadership, &View<'_>, &mut u64, &mut Vec<Effect>),
    ) {
        let Some(leadership) = &mut self.leadership else { return };
        if !self.picture.catalogue().is_founded() {
            return;
        }
        let (ages, picture, since_us) = (&self.ages, &self.picture, leadership.since_us());
        let heard = picture.others_up(self.me).filter(|member| now_us < ages.silent_at(member, since_us));
        let mut present: BTreeSet<NodeId> = heard.map(|member| member.node.id).collect();
        if picture.catalogue().is_up(self.me) {
            present.insert(self.me);
        }
        let view = View { settings: &self.settings, ages, picture, me: self.me, now_us, present: &present };
        decide(leadership, &view, &mut self.next, effects);
    }
}
