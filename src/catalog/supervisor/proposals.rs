//! Proposals under way: one of a kind.

use std::collections::BTreeMap;

use super::{Effect, ProposalId, Settings};
use crate::catalog::Command;

/// What a proposal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Lead,
    Fail,
    Return,
    Configure,
}

/// What is under way, and what failed a moment ago.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    flights: BTreeMap<Kind, Flight>,
    paused_until_us: BTreeMap<Kind, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    id: ProposalId,
    until_us: u64,
}

impl Proposals {
    /// Whether one of this kind may be proposed now.
    pub(super) fn is_free(&self, kind: Kind, now_us: u64) -> bool {
        let is_paused = self.paused_until_us.get(&kind).is_some_and(|until_us| now_us < *until_us);
        !is_paused && !self.flights.contains_key(&kind)
    }

    pub(super) fn propose(
        &mut self,
        kind: Kind,
        command: Command,
        (now_us, settings, next): (u64, &Settings, &mut u64),
        effects: &mut Vec<Effect>,
    ) {
        let proposal = ProposalId(*next);
        *next += 1;
        let until_us = now_us.saturating_add(settings.answer_timeout_us);
        self.flights.insert(kind, Flight { id: proposal, until_us });
        effects.push(Effect::Propose { proposal, command });
    }

    /// Ends a proposal; its kind, if it was still waited for.
    pub(super) fn land(&mut self, id: ProposalId) -> Option<Kind> {
        let kind = self.flights.iter().find(|(_, flight)| flight.id == id).map(|(kind, _)| *kind)?;
        self.flights.remove(&kind);
        Some(kind)
    }

    /// Lets a moment pass before the next of this kind.
    pub(super) fn pause(&mut self, kind: Kind, until_us: u64) {
        self.paused_until_us.insert(kind, until_us);
    }

    /// Gives up what has not been answered in time; of which kinds that was.
    pub(super) fn give_up(&mut self, now_us: u64) -> Vec<Kind> {
        let late = self.flights.iter().filter(|(_, flight)| flight.until_us <= now_us);
        let late: Vec<Kind> = late.map(|(kind, _)| *kind).collect();
        for kind in &late {
            self.flights.remove(kind);
        }
        late
    }
}
