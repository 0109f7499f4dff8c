//! Admission, and what an operation comes to.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::{SmallVec, smallvec};

use super::{Primary, Standing, commit::Draft};
use crate::{
    mutant::Mutant,
    partition::{
        Answer, Answered, Change, Effect, MapView, Origin, Request, Ttl,
        admission::Room,
        operation::{Decision, Life, Operation, Write, decide, outcome, updated},
        pending::Waiter,
        sessions::Known,
        slots::{OpId, Slot},
    },
    row::RowRef,
    store::{Lineage, Parts, Record},
    types::{Class, Error, RowVersion, Seq, Timestamp},
};

impl Primary<'_> {
    /// Admits a request, or refuses it untouched: nothing is recorded of such a refusal, and a retry may succeed.
    pub(super) fn handle_request(&mut self, request: Request, effects: &mut Vec<Effect>) {
        match self.known(&request) {
            Ok(true) => {}
            Ok(false) => return self.handle_retry(&request, effects),
            Err(error) => return refuse(&request, error, effects),
        }
        let room = Room::of(&request);
        if let Err(error) = self.check_room(&request, room) {
            return refuse(&request, error, effects);
        }
        let hash = self.ledger.store.hash(request.key.packed());
        let slot = Slot::of(request.map, hash);
        let op = Operation { hash, retries: SmallVec::new(), admitted_us: self.site.now.mono_us, request };
        if self.tenure.slots.is_free(slot) {
            self.start(op, None, effects);
        } else {
            let id = self.new_op_id();
            self.tenure.slots.take(id, smallvec![slot]);
            let deadline_us = op.request.deadline_us;
            self.stand(id, Standing { op, deadline_us, scoring: None });
        }
    }

    /// Whether anything may be decided here now.
    pub(super) fn check_serving(&self) -> Result<(), Error> {
        if !self.is_serving() {
            let message =
                format!("partition {} has a new primary that does not serve yet", self.site.partition);
            return Err(Error::unavailable(message).hint("retry in a moment"));
        }
        if !self.ledger.store.leased(self.site.now.mono_us) {
            return Err(Error::unavailable(format!("partition {} has no lease", self.site.partition))
                .hint("retry in a moment"));
        }
        Ok(())
    }

    /// Whether the request is new; an error if it cannot be told or served.
    fn known(&self, request: &Request) -> Result<bool, Error> {
        self.check_serving()?;
        let Some(id) = request.id else { return Ok(true) };
        if id.number < request.acknowledged_below {
            return Err(forgotten(id.number));
        }
        match self.ledger.sessions.find(id) {
            Known::New => Ok(true),
            Known::UnderWay(_) | Known::Prepared(_) | Known::Answered(_) => Ok(false),
            Known::Forgotten => Err(forgotten(id.number)),
        }
    }

    fn handle_retry(&mut self, request: &Request, effects: &mut Vec<Effect>) {
        let Some(id) = request.id else { return };
        match self.ledger.sessions.find(id) {
            Known::UnderWay(op) => {
                if let Some(standing) = self.tenure.standing.get_mut(&op) {
                    standing.op.add_retry(request.origin);
                }
            }
            Known::Prepared(seq) => self.wait_for(seq, request.origin),
            Known::Answered(answer) => {
                Waiter { origin: request.origin, answer: answer.clone() }.reply(effects)
            }
            Known::New | Known::Forgotten => {}
        }
    }

    /// The answer is in a prepared entry, and given when that is committed.
    fn wait_for(&mut self, seq: Seq, origin: Origin) {
        let entry = self.ledger.tail.at(seq);
        let Some(answered) = entry.and_then(|entry| entry.answered.as_ref()) else { return };
        let waiter = Waiter { origin, answer: answered.answer.clone() };
        let index = usize::try_from(seq.0 - self.ledger.committed().seq.0 - 1).ok();
        let is_held = self.tenure.pending.wait(index, waiter).is_ok();
        debug_assert!(is_held, "whatever is in the tail is pending");
    }

    fn check_room(&self, request: &Request, room: Room) -> Result<(), Error> {
        self.tenure.admission.check(room)?;
        if let Some(id) = request.id {
            self.ledger.sessions.check(id, request.acknowledged_below)?;
        }
        match request.deadline_us {
            Some(deadline_us) if deadline_us <= self.site.now.mono_us => {
                Err(Error::deadline("the request's deadline had passed when it arrived"))
            }
            _ => Ok(()),
        }
    }

    /// Runs an operation whose slot is free, or held under `held`: to its end, or until it waits for scores.
    pub(super) fn start(&mut self, op: Operation, held: Option<OpId>, effects: &mut Vec<Effect>) {
        match self.resolve(&op) {
            Step::Finish(conclusion) => self.finish(op, held, conclusion, effects),
            Step::Score(write, map) => self.begin_scoring(op, held, write, map, effects),
        }
    }

    /// What the operation comes to, over the row as it is.
    fn resolve(&self, op: &Operation) -> Step {
        let Request { map, key, .. } = &op.request;
        let Some(view) = self.tenure.view.maps.get(map) else {
            return Step::Finish(Conclusion::refusal(Error::not_found(format!(
                "partition {} has no map {map} at catalogue version {}",
                self.site.partition, self.tenure.view.version
            ))));
        };
        let current = self.current(*map, op.hash, key.packed());
        match decide(&op.request.op, current.as_ref()) {
            Decision::Answer(answer) => Step::Finish(Conclusion::Answer(answer)),
            Decision::Write(value, life) => match readable(view, value) {
                Ok(()) => self.write(op, view, current, value, life),
                Err(error) => Step::Finish(Conclusion::refusal(error)),
            },
            Decision::Update(old, update) => match updated(&update, view, key, &old) {
                Ok(Write { value, life }) => self.write(op, view, current, &value, life),
                Err(error) => Step::Finish(Conclusion::refusal(error)),
            },
            Decision::Remove(old) => Step::Finish(Conclusion::Change(Change::Remove { map: *map, old })),
            Decision::SetTtl(old, ttl) => {
                let new = Record::new(&Parts { expires_at: self.expires_at(ttl), ..old.parts() });
                Step::Finish(Conclusion::Change(Change::Ttl { map: *map, old, new }))
            }
        }
    }

    /// A row is written: at once, or with its scores.
    fn write(
        &self,
        op: &Operation,
        view: &Arc<MapView>,
        current: Option<Record>,
        value: &Bytes,
        life: Life,
    ) -> Step {
        if !view.bindings.is_empty() {
            return Step::Score(Write { value: value.clone(), life }, view.clone());
        }
        let new = self.written(op, value, life, false, SmallVec::new());
        Step::Finish(Conclusion::Change(Change::Put { map: op.request.map, old: current, new }))
    }

    /// The row as the next entry writes it.
    pub(super) fn written(
        &self,
        op: &Operation,
        value: &[u8],
        life: Life,
        unscored: bool,
        lineage: SmallVec<[Lineage; 2]>,
    ) -> Record {
        Record::new(&Parts {
            key: op.request.key.packed(),
            value,
            row_version: RowVersion(self.next_seq().0),
            expires_at: match life {
                Life::New(ttl) => self.expires_at(ttl),
                Life::Kept(expires_at) => expires_at,
            },
            unscored,
            lineage,
        })
    }

    fn expires_at(&self, ttl: Option<Ttl>) -> Option<Timestamp> {
        let ms = i64::try_from(ttl?.ms).unwrap_or(i64::MAX);
        Some(Timestamp(self.partition_time().0.saturating_add(ms)))
    }

    /// Ends an operation: its entry is prepared, its slot goes to the next.
    pub(super) fn finish(
        &mut self,
        op: Operation,
        held: Option<OpId>,
        conclusion: Conclusion,
        effects: &mut Vec<Effect>,
    ) {
        let (answer, change) = match conclusion {
            Conclusion::Answer(answer) => (answer, None),
            Conclusion::Change(change) => (Ok(outcome(&op.request.op, &change, false)), Some(change)),
            Conclusion::Scored(change) => (Ok(outcome(&op.request.op, &change, true)), Some(change)),
        };
        let room = Room::of(&op.request);
        let Request { origin, id, acknowledged_below, .. } = op.request;
        let recorded = match id {
            Some(id) if is_untouched(&answer) => {
                self.ledger.sessions.release(id);
                None
            }
            id => id,
        };
        let answered = recorded.map(|id| Answered { id, acknowledged_below, answer: answer.clone() });
        let mut waiters: SmallVec<[Waiter; 1]> = SmallVec::new();
        for retry in op.retries {
            waiters.push(Waiter { origin: retry, answer: answer.clone() });
        }
        waiters.push(Waiter { origin, answer });
        if Mutant::RefusesAtOnce.is_on() && waiters.iter().any(|waiter| waiter.answer.is_err()) {
            waiters.drain(..).for_each(|waiter| waiter.reply(effects));
        }
        if answered.is_none() && change.is_none() {
            // It has read what is prepared: the answer waits until that is committed.
            for waiter in waiters {
                if let Err(waiter) = self.tenure.pending.wait(None, waiter) {
                    waiter.reply(effects);
                }
            }
        } else {
            let changes = change.into_iter().collect();
            self.prepare(Draft { answered, changes, waiters, room: Some(room) }, effects);
        }
        if let Some(id) = held {
            self.tenure.slots.release(id, &mut self.tenure.ready);
        }
    }

    /// Lets an operation wait.
    pub(super) fn stand(&mut self, id: OpId, standing: Standing) {
        if let Some(request) = standing.op.request.id {
            self.ledger.sessions.start(request, id);
        }
        if let Some(deadline_us) = standing.deadline_us {
            self.tenure.deadlines.insert((deadline_us, id));
        }
        self.tenure.admission.enter(Room::of(&standing.op.request));
        self.tenure.standing.insert(id, standing);
    }

    /// Takes an operation that waited; it keeps its slot.
    pub(super) fn unstand(&mut self, id: OpId) -> Option<Standing> {
        let standing = self.tenure.standing.remove(&id)?;
        if let Some(deadline_us) = standing.deadline_us {
            self.tenure.deadlines.remove(&(deadline_us, id));
        }
        self.tenure.admission.leave(Room::of(&standing.op.request));
        if let Some(scoring) = &standing.scoring {
            self.tenure.tickets.cancel(&scoring.gathering);
        }
        Some(standing)
    }

    pub(super) fn new_op_id(&mut self) -> OpId {
        self.tenure.next_op += 1;
        OpId(self.tenure.next_op)
    }

    /// Runs the operations whose turn has come, first come, first served.
    pub(super) fn run_ready(&mut self, effects: &mut Vec<Effect>) {
        while !self.tenure.ready.is_empty() {
            let id = self.tenure.ready.remove(0);
            if let Some(standing) = self.unstand(id) {
                self.start(standing.op, Some(id), effects);
            }
        }
    }
}

/// What is next for an operation.
enum Step {
    Finish(Conclusion),
    Score(Write, Arc<MapView>),
}

/// How an operation ends.
#[derive(Debug)]
pub(super) enum Conclusion {
    /// Nothing changes.
    Answer(Answer),
    /// The row changes to what the client knows already.
    Change(Change),
    /// The row changes, and the reply shows it.
    Scored(Change),
}

impl Conclusion {
    pub(super) fn refusal(error: Error) -> Self {
        Conclusion::Answer(Err(Box::new(error)))
    }
}

/// Whether the request is refused for the moment. Nothing is recorded of that: a retry, which is under the same number,
/// would get the refusal for ever.
fn is_untouched(answer: &Answer) -> bool {
    answer.as_ref().is_err_and(|error| matches!(error.class, Class::Overloaded | Class::Unavailable))
}

/// Whether the row's schema is known at this catalogue version.
fn readable(view: &MapView, value: &[u8]) -> Result<(), Error> {
    let Some(schema) = view.map.schema() else { return Ok(()) };
    RowRef::trusted(schema, value).map(drop).map_err(|error| {
        Error::unavailable(error.message)
            .hint("the partition may not have the map's latest schema yet: retry")
    })
}

fn forgotten(number: u64) -> Error {
    Error::conflict(format!("request {number} was answered before, and its answer acknowledged"))
        .hint("give every request a number of its own")
}

pub(super) fn refuse(request: &Request, error: Error, effects: &mut Vec<Effect>) {
    effects.push(Effect::Reply { origin: request.origin, answer: Err(error) });
}
