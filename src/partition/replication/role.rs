//! What a replica is under a configuration, and how it becomes that.

use std::sync::Arc;

use super::{Follower, Learner};
use crate::{
    catalog::Configuration,
    partition::{Core, Effect, core::Tenure},
    types::{Class, Error, JoinId, PartitionId},
};

/// What a replica is. Each variant owns what only that role has.
pub(in crate::partition) enum Role {
    /// Orders and commits.
    Primary(Box<Tenure>),
    /// Has what is committed, and may be promoted.
    Backup(Follower),
    /// Is being filled.
    Learner(Learner),
    /// Holds the partition no longer, or not yet.
    Outside,
}

/// What a configuration makes of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Orders and commits.
    Primary,
    /// Has what is committed, and may be promoted: in sync, or eligible.
    Backup,
    /// Is being filled.
    Learner,
    /// Holds the partition no longer.
    Outside,
}

impl Place {
    /// The place of `me`.
    pub fn of(configuration: &Configuration, me: JoinId) -> Place {
        let is_in = |replicas: &[crate::catalog::Replica]| replicas.iter().any(|replica| replica.join == me);
        if configuration.primary == me && is_in(&configuration.in_sync) {
            Place::Primary
        } else if is_in(&configuration.in_sync) || is_in(&configuration.eligible) {
            Place::Backup
        } else if is_in(&configuration.learners) {
            Place::Learner
        } else {
            Place::Outside
        }
    }
}

impl Core {
    /// A later configuration. What was learned from frames counts on where the same primary goes on, and not where another
    /// has been primary meanwhile: the number of the tenure says so, whatever configurations this replica has missed.
    pub(in crate::partition) fn configure(
        &mut self,
        configuration: Arc<Configuration>,
        effects: &mut Vec<Effect>,
    ) {
        let before = &self.site.configuration;
        if (configuration.generation, configuration.epoch) <= (before.generation, before.epoch) {
            return;
        }
        let goes_on = configuration.generation == before.generation
            && configuration.tenure == before.tenure
            && configuration.primary == before.primary;
        // The rows of a generation that was given up are nobody's.
        let is_ours = configuration.generation == before.generation;
        let place = if is_ours { Place::of(&configuration, self.site.me) } else { Place::Outside };
        if !(goes_on && place == Place::Primary) {
            self.resign(&configuration, effects);
        }
        self.site.configuration = configuration;
        self.assume(place, goes_on, effects);
    }

    /// Ends the tenure, if there is one. Readers stop first.
    fn resign(&mut self, next: &Configuration, effects: &mut Vec<Effect>) {
        if !matches!(self.role, Role::Primary(_)) {
            return;
        }
        self.ledger.store.lease(0);
        let follower = Role::Backup(Follower::new(self.ledger.committed().seq));
        if let Role::Primary(tenure) = std::mem::replace(&mut self.role, follower) {
            tenure.depose(next, not_primary(self.site.partition, next), effects);
            self.ledger.sessions.abandon();
        }
    }

    fn assume(&mut self, place: Place, goes_on: bool, effects: &mut Vec<Effect>) {
        let committed = self.ledger.committed().seq;
        let role = match std::mem::replace(&mut self.role, Role::Outside) {
            // It has everything, and may be told at once that it is more than a backup.
            Role::Learner(learner) if place != Place::Learner && learner.is_complete() => {
                Role::Backup(learner.follower)
            }
            role => role,
        };
        self.role = match (place, role) {
            (Place::Outside, _) => {
                self.ledger.store.lease(0);
                Role::Outside
            }
            (Place::Primary, Role::Primary(tenure)) => Role::Primary(tenure),
            (Place::Primary, Role::Backup(_)) => {
                Role::Primary(Box::new(Tenure::begin(&self.site, &mut self.ledger)))
            }
            (Place::Backup, Role::Backup(follower)) => {
                Role::Backup(follower.reconfigured(goes_on, committed))
            }
            (Place::Learner, Role::Learner(mut learner)) => {
                learner.follower = learner.follower.reconfigured(goes_on, committed);
                Role::Learner(learner)
            }
            (Place::Learner, _) => Role::Learner(Learner::new()),
            // What is not filled must not count as filled, whatever the configuration says: it acknowledges nothing
            // and is found silent. And no replica is ever taken in again: its successor has another join id.
            (Place::Primary | Place::Backup, Role::Learner(_) | Role::Outside) => Role::Outside,
            (Place::Backup, Role::Primary(tenure)) => Role::Primary(tenure),
        };
        if let Some(mut primary) = self.primary() {
            if goes_on {
                primary.reconfigure(effects);
            }
            primary.take_over(effects);
        }
    }
}

/// The request is for another node.
pub(in crate::partition) fn not_primary(partition: PartitionId, configuration: &Configuration) -> Error {
    let error = Error::new(Class::NotPrimary, format!("partition {partition} is led elsewhere"));
    match configuration.primary_node() {
        Some(node) => error.hint(format!("its primary is on node {:016x}", node.0)),
        None => error,
    }
}
