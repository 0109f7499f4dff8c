//! Writes that wait for their scores.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{Primary, Standing, request::Conclusion};
use crate::{
    binding::{Compiled, Mode, OnDeadline, Scores},
    mutant::Mutant,
    partition::{
        Change, Effect, MapView, ScoreTask, Ticket,
        operation::{Operation, Scoring, Write},
        slots::{OpId, Slot},
        tickets::{Asker, Gathering},
    },
    row::{Scalar, with_scores},
    types::{Class, Error},
};

impl Primary<'_> {
    /// Asks for the scores that a write waits for. It holds its slot meanwhile.
    pub(super) fn begin_scoring(
        &mut self,
        op: Operation,
        held: Option<OpId>,
        write: Write,
        map: Arc<MapView>,
        effects: &mut Vec<Effect>,
    ) {
        let waited_for = || map.bindings.iter().filter(|binding| binding.mode == Mode::Sync);
        let deadline = |binding: &Arc<Compiled>| op.admitted_us.saturating_add(binding.deadline_us);
        let deadlines = waited_for().map(deadline).chain(op.request.deadline_us);
        let deadline_us = deadlines.min().filter(|_| waited_for().next().is_some());
        let mut scoring = Scoring { write, map: map.clone(), gathering: Gathering::default() };
        if deadline_us.is_none_or(|deadline_us| deadline_us <= self.site.now.mono_us) {
            // Nothing to wait for, or no time left.
            waited_for().for_each(|binding| scoring.gathering.miss(binding.clone()));
            return self.conclude_scoring(op, held, scoring, effects);
        }
        let id = held.unwrap_or_else(|| self.new_op_id());
        if held.is_none() && !Mutant::ScoresWithoutSlot.is_on() {
            self.tenure.slots.take(id, smallvec![Slot::of(op.request.map, op.hash)]);
        }
        for binding in waited_for() {
            let ticket = self.tenure.tickets.ask(Asker::Operation(id));
            scoring.gathering.ask(binding.clone(), ticket);
            effects.push(Effect::Score(ScoreTask {
                ticket,
                binding: binding.clone(),
                map: map.clone(),
                key: op.request.key.clone(),
                row: scoring.write.value.clone(),
            }));
        }
        self.stand(id, Standing { op, deadline_us, scoring: Some(scoring) });
    }

    /// An answer from whoever scores. Answers to questions that no longer stand are dropped.
    pub(super) fn handle_scored(
        &mut self,
        ticket: Ticket,
        result: Result<Scores, Error>,
        effects: &mut Vec<Effect>,
    ) {
        match self.tenure.tickets.redeem(ticket) {
            Some(Asker::Operation(id)) => self.handle_score_of_write(id, ticket, result, effects),
            Some(Asker::Debt(row)) => self.handle_score_of_debt(&row, ticket, result, effects),
            None => {}
        }
    }

    fn handle_score_of_write(
        &mut self,
        id: OpId,
        ticket: Ticket,
        result: Result<Scores, Error>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Scoring { gathering, .. }) =
            self.tenure.standing.get_mut(&id).and_then(|it| it.scoring.as_mut())
        else {
            return;
        };
        let may_miss = gathering.binding(ticket).is_some_and(|binding| may_miss(binding));
        let refusal = match result {
            Ok(scores) => {
                gathering.give(ticket, Some(scores));
                None
            }
            Err(error) if may_miss && is_passing(&error) => {
                gathering.give(ticket, None);
                None
            }
            Err(error) => Some(error),
        };
        if refusal.is_none() && !gathering.is_complete() {
            return;
        }
        let Some(Standing { op, scoring: Some(scoring), .. }) = self.unstand(id) else { return };
        match refusal {
            Some(error) => self.finish(op, Some(id), Conclusion::refusal(error), effects),
            None => self.conclude_scoring(op, Some(id), scoring, effects),
        }
    }

    /// Writes the row with the scores that came, or refuses it.
    pub(super) fn conclude_scoring(
        &mut self,
        op: Operation,
        held: Option<OpId>,
        scoring: Scoring,
        effects: &mut Vec<Effect>,
    ) {
        let Scoring { write, map, gathering } = scoring;
        if let Some(late) = gathering.missing().find(|binding| !may_miss(binding)) {
            let error =
                Error::deadline(format!("the score of the binding `{}` did not come in time", late.name))
                    .hint(
                        "retry, or give the binding a longer deadline or `on_deadline = \"store_unscored\"`",
                    );
            return self.finish(op, held, Conclusion::refusal(error), effects);
        }
        let is_async = map.bindings.iter().any(|binding| binding.mode == Mode::Async);
        let unscored = (is_async || gathering.missing().next().is_some()) && !Mutant::StoresUnmarked.is_on();
        let conclusion = match scored_value(&map, &write.value, &gathering) {
            Ok(value) => {
                let new = self.written(&op, &value, write.life, unscored, gathering.lineage());
                let old = self.current(op.request.map, op.hash, op.request.key.packed());
                Conclusion::Scored(Change::Put { map: op.request.map, old, new })
            }
            Err(error) => Conclusion::refusal(error),
        };
        self.finish(op, held, conclusion, effects);
    }
}

/// The row with the scores that came.
pub(super) fn scored_value(map: &MapView, row: &[u8], gathering: &Gathering) -> Result<Vec<u8>, Error> {
    let Some(schema) = map.map.schema() else { return Ok(row.to_vec()) };
    let scores = gathering.scores().flat_map(|(_, scores)| scores);
    let scores: SmallVec<[(usize, Scalar<'_>); 4]> =
        scores.map(|score| (score.column, score.value.scalar())).collect();
    with_scores(schema, row, &scores)
}

fn may_miss(binding: &Compiled) -> bool {
    binding.mode == Mode::Async || binding.on_deadline == OnDeadline::StoreUnscored
}

/// Whether the same row may be scored later: the failure is not the row's own.
fn is_passing(error: &Error) -> bool {
    matches!(error.class, Class::Deadline | Class::Overloaded | Class::Unavailable)
}
