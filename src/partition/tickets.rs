//! Scores asked for.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Ticket, debts::RowName, identity::ByNumber, slots::OpId};
use crate::{
    binding::{Compiled, Scores},
    mutant::Mutant,
    store::Lineage,
    types::Epoch,
};

/// Who asked for a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A write that waits for it.
    Operation(OpId),
    /// A stored row that lacks it.
    Debt(RowName),
}

/// The questions that still stand. An answer to any other is stale and dropped.
#[derive(Debug)]
pub(super) struct Tickets {
    epoch: Epoch,
    next: u64,
    standing: ByNumber<u64, Asker>,
}

impl Tickets {
    pub(super) fn new(epoch: Epoch) -> Self {
        Tickets { epoch, next: 1, standing: ByNumber::default() }
    }

    pub(super) fn ask(&mut self, asker: Asker) -> Ticket {
        let ticket = Ticket { epoch: self.epoch, nonce: self.next };
        self.next += 1;
        self.standing.insert(ticket.nonce, asker);
        ticket
    }

    /// Whose question an answer belongs to. A ticket is good for one answer.
    pub(super) fn redeem(&mut self, ticket: Ticket) -> Option<Asker> {
        if ticket.epoch != self.epoch { None } else { self.standing.remove(&ticket.nonce) }
    }

    /// Questions that no longer stand.
    pub(super) fn cancel(&mut self, gathering: &Gathering) {
        if Mutant::TakesStaleScores.is_on() {
            return;
        }
        for (_, answer) in &gathering.answers {
            if let Given::Asked(ticket) = answer {
                self.standing.remove(&ticket.nonce);
            }
        }
    }
}

/// What has become of one score.
#[derive(Debug)]
enum Given {
    Asked(Ticket),
    Scores(Scores),
    Missing,
}

/// The scores of one row, as they come in.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    answers: SmallVec<[(Arc<Compiled>, Given); 1]>,
}

impl Gathering {
    pub(super) fn ask(&mut self, binding: Arc<Compiled>, ticket: Ticket) {
        self.answers.push((binding, Given::Asked(ticket)));
    }

    /// There will be no score under this binding.
    pub(super) fn miss(&mut self, binding: Arc<Compiled>) {
        self.answers.push((binding, Given::Missing));
    }

    /// The binding that a ticket is about.
    pub(super) fn binding(&self, ticket: Ticket) -> Option<&Arc<Compiled>> {
        let mut asked = self.answers.iter();
        asked
            .find(|(_, given)| matches!(given, Given::Asked(asked) if *asked == ticket))
            .map(|(binding, _)| binding)
    }

    /// Files an answer; none means that there will not be one.
    pub(super) fn give(&mut self, ticket: Ticket, scores: Option<Scores>) {
        let is_answer = |asked: &Ticket| *asked == ticket || Mutant::TakesStaleScores.is_on();
        let mut asked = self.answers.iter_mut();
        let found = asked.find(|(_, given)| matches!(given, Given::Asked(asked) if is_answer(asked)));
        if let Some((_, given)) = found {
            *given = scores.map_or(Given::Missing, Given::Scores);
        }
    }

    /// Whether nothing is waited for.
    pub(super) fn is_complete(&self) -> bool {
        !self.answers.iter().any(|(_, given)| matches!(given, Given::Asked(_)))
    }

    /// The bindings without scores.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Arc<Compiled>> {
        self.answers
            .iter()
            .filter(|(_, given)| !matches!(given, Given::Scores(_)))
            .map(|(binding, _)| binding)
    }

    /// The scores that came.
    pub(super) fn scores(&self) -> impl Iterator<Item = (&Arc<Compiled>, &Scores)> {
        self.answers.iter().filter_map(|(binding, given)| match given {
            Given::Scores(scores) => Some((binding, scores)),
            Given::Asked(_) | Given::Missing => None,
        })
    }

    /// What the scores that came were computed by.
    pub(super) fn lineage(&self) -> SmallVec<[Lineage; 2]> {
        self.scores().map(|(binding, _)| lineage_of(binding)).collect()
    }
}

/// What a score under this binding is computed by.
pub(super) fn lineage_of(binding: &Compiled) -> Lineage {
    Lineage { binding: binding.id, model_version: binding.model.version, job: None }
}
