//! Linearizability, key by key, from what clients saw and when, and from nothing else: there is an order of the operations,
//! none before it was asked or after it was answered, in which one row explains every answer.
//!
//! The search is Wing and Gong's with Lowe's memory of what was tried. An operation that was never answered may have
//! happened at any time after it was asked, or not at all. A version names one write: what nobody was told the version of,
//! has that under which it is first seen, and no other afterwards.

// Beside this file, for whoever else takes this one in.
#[path = "known.rs"]
pub(crate) mod known;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use embergrid::partition::{Op, Outcome, PutMode, Request};
use embergrid::store::Record;
use embergrid::types::{Class, Error, MapId, RequestId, RowVersion};

/// Operations on one key that the search can hold.
const MOST: usize = u128::BITS as usize;

type Row = (MapId, Vec<u8>);

/// What clients saw.
#[derive(Default)]
pub(crate) struct History {
    by_row: BTreeMap<Row, Vec<Seen>>,
    asked: BTreeMap<RequestId, (Row, usize)>,
}

/// One operation as its client saw it.
#[derive(Clone, Debug)]
struct Seen {
    asked_us: u64,
    answered_us: u64,
    what: What,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum What {
    Read,
    Write(Op),
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    None,
    /// The versions of the row after, and before if it was shown.
    Done {
        applied: bool,
        version: Option<RowVersion>,
        old: Option<RowVersion>,
    },
    Conflict,
    /// Refused, whatever the row.
    Refused,
}

/// A row as far as clients can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Missing,
    Stored(Stored),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stored {
    /// None if whoever wrote it never learnt its version, and nobody has seen it yet.
    version: Option<RowVersion>,
    /// One that may expire is there or missing, as it likes.
    may_expire: bool,
}

impl History {
    pub(crate) fn asked(&mut self, request: &Request, now_us: u64) {
        let row = (request.map, request.key.packed().to_vec());
        let what = What::Write(request.op.clone());
        let operations = self.by_row.entry(row.clone()).or_default();
        self.asked.insert(request.id.unwrap(), (row, operations.len()));
        operations.push(Seen { asked_us: now_us, answered_us: u64::MAX, what, answer: Answer::None });
    }

    pub(crate) fn answered(&mut self, id: RequestId, answer: &Result<Outcome, Error>, now_us: u64) {
        let Some((row, at)) = self.asked.get(&id) else { return };
        let seen = &mut self.by_row.get_mut(row).unwrap()[*at];
        seen.answered_us = now_us;
        seen.answer = match answer {
            Ok(Outcome { applied, version, old, .. }) => Answer::Done {
                applied: *applied,
                version: *version,
                old: old.as_ref().map(Record::row_version),
            },
            Err(error) if error.class == Class::Conflict => Answer::Conflict,
            Err(_) => Answer::Refused,
        };
    }

    /// A read that was asked for and answered within that time.
    pub(crate) fn read(
        &mut self,
        map: MapId,
        key: &[u8],
        found: Option<&Record>,
        (asked_us, answered_us): (u64, u64),
    ) {
        let version = found.map(Record::row_version);
        let answer = Answer::Done { applied: true, version, old: None };
        let seen = Seen { asked_us, answered_us, what: What::Read, answer };
        self.by_row.entry((map, key.to_vec())).or_default().push(seen);
    }

    /// Whether there is such an order for every key that counts.
    pub(crate) fn check(&self, counts: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        self.by_row.iter().filter(|((_, key), _)| counts(key)).try_for_each(|(row, operations)| {
            let operations: Vec<&Seen> =
                operations.iter().filter(|seen| seen.answer != Answer::Refused).collect();
            if operations.len() > MOST {
                return Err(format!("{} operations on one key are too many to check", operations.len()));
            }
            match Search::new(&operations).run(0, State::Missing) {
                true => Ok(()),
                false => Err(told(row, &operations)),
            }
        })
    }
}

/// A history that cannot be, an operation a line.
fn told(row: &Row, operations: &[&Seen]) -> String {
    let mut text = format!("no order explains the operations on {row:?}:");
    for Seen { asked_us, answered_us, what, answer } in operations {
        let answered = if *answered_us == u64::MAX { "never".into() } else { answered_us.to_string() };
        text += &format!("\n{asked_us:>10} to {answered:>10}  {what:?} -> {answer:?}");
    }
    text
}

struct Search<'a> {
    operations: &'a [&'a Seen],
    /// Versions of writes whose clients were told so.
    told: BTreeSet<RowVersion>,
    tried: HashSet<(u128, State)>,
}

impl<'a> Search<'a> {
    fn new(operations: &'a [&'a Seen]) -> Self {
        let told = operations.iter().filter_map(|seen| match (&seen.what, &seen.answer) {
            (What::Write(Op::Put { .. } | Op::Update(_)), Answer::Done { applied: true, version, .. }) => {
                *version
            }
            _ => None,
        });
        Search { operations, told: told.collect(), tried: HashSet::new() }
    }

    fn run(&mut self, done: u128, state: State) -> bool {
        let open = |at: &usize| done & (1 << at) == 0;
        let left: Vec<usize> = (0..self.operations.len()).filter(open).collect();
        if left.iter().all(|at| self.operations[*at].answer == Answer::None) {
            return true;
        }
        if !self.tried.insert((done, state)) {
            return false;
        }
        let soonest = left.iter().map(|at| self.operations[*at].answered_us).min().unwrap_or(u64::MAX);
        let may_be_next = |at: &usize| self.operations[*at].asked_us <= soonest;
        for at in left.into_iter().filter(may_be_next) {
            let done = done | (1 << at);
            let before = match state {
                State::Stored(Stored { may_expire: true, .. }) => vec![state, State::Missing],
                _ => vec![state],
            };
            let unhappened = (self.operations[at].answer == Answer::None).then_some(state);
            let after = before.into_iter().filter_map(|state| self.step(self.operations[at], state));
            if after.chain(unhappened).collect::<Vec<_>>().into_iter().any(|state| self.run(done, state)) {
                return true;
            }
        }
        false
    }

    /// The row after the operation, if the row before explains its answer.
    fn step(&self, seen: &Seen, state: State) -> Option<State> {
        match &seen.answer {
            Answer::Done { applied, version, old } => {
                let state = old.map_or(Some(state), |old| self.shown(state, Some(old)))?;
                match &seen.what {
                    What::Read => self.shown(state, *version),
                    What::Write(op) if *applied => self.applied(op, state, *version),
                    What::Write(op) => self.not_applied(op, state, *version),
                }
            }
            Answer::Conflict => {
                let expected = expected(&seen.what)?;
                // A version that nobody was told may be any other.
                let is_untold = matches!(state, State::Stored(Stored { version: None, .. }));
                let is_another = is_untold || !self.is(state, expected);
                is_another.then_some(state)
            }
            Answer::None => match &seen.what {
                What::Read => Some(state),
                What::Write(op) => self.applied(op, state, None),
            },
            Answer::Refused => Some(state),
        }
    }

    /// Whether the row may have this version.
    fn is(&self, state: State, version: RowVersion) -> bool {
        match state {
            State::Missing => false,
            State::Stored(Stored { version: Some(stored), .. }) => stored == version,
            State::Stored(Stored { version: None, .. }) => !self.told.contains(&version),
        }
    }

    /// The row, if this is what somebody sees of it.
    fn shown(&self, state: State, version: Option<RowVersion>) -> Option<State> {
        match (state, version) {
            (State::Missing, None) => Some(state),
            (State::Stored(stored), Some(version)) if self.is(state, version) => {
                Some(State::Stored(Stored { version: Some(version), ..stored }))
            }
            _ => None,
        }
    }

    /// The row after a write that did what it was to do. Its version is not known if nobody was told.
    fn applied(&self, op: &Op, state: State, version: Option<RowVersion>) -> Option<State> {
        let is_there = state != State::Missing;
        let written = |may_expire| State::Stored(Stored { version, may_expire });
        match op {
            Op::Put { mode, ttl, .. } => self.is_met(*mode, state).then(|| written(ttl.is_some())),
            Op::Remove { expected, .. } => {
                let fits = is_there && expected.is_none_or(|expected| self.is(state, expected));
                fits.then_some(State::Missing)
            }
            Op::SetTtl { ttl } => {
                let state = if version.is_some() { self.shown(state, version)? } else { state };
                let State::Stored(stored) = state else { return None };
                Some(State::Stored(Stored { may_expire: ttl.is_some(), ..stored }))
            }
            Op::Update(_) => is_there.then(|| written(true)),
        }
    }

    /// The row, if it is why a write did nothing.
    fn not_applied(&self, op: &Op, state: State, version: Option<RowVersion>) -> Option<State> {
        match op {
            Op::Put { mode, .. } if !self.is_met(*mode, state) => self.shown(state, version),
            Op::Remove { .. } | Op::SetTtl { .. } | Op::Update(_) if state == State::Missing => Some(state),
            _ => None,
        }
    }

    fn is_met(&self, mode: PutMode, state: State) -> bool {
        match mode {
            PutMode::Always => true,
            PutMode::IfAbsent => state == State::Missing,
            PutMode::IfPresent => state != State::Missing,
            PutMode::IfVersion(expected) => self.is(state, expected),
        }
    }
}

/// The version under which alone a write does something.
fn expected(what: &What) -> Option<RowVersion> {
    match what {
        What::Write(Op::Put { mode: PutMode::IfVersion(expected), .. }) => Some(*expected),
        What::Write(Op::Remove { expected, .. }) => *expected,
        _ => None,
    }
}
