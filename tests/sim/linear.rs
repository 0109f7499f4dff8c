//! Linearizability, key by key, from what clients saw and when, and from nothing else: there is an order of the operations,
//! none before it was asked or after it was answered, in which one row explains every answer.
//!
//! The search is Wing and Gong's with Lowe's memory of what was tried. An operation that was never answered may have
//! happened at any time after it was asked, or not at all.

use std::collections::{BTreeMap, HashSet};

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
    /// One that may expire is there or missing, as it likes.
    Stored {
        version: RowVersion,
        may_expire: bool,
    },
    /// Written by somebody who never learnt its version.
    Unknown,
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
            match (Search { operations: &operations, tried: HashSet::new() }).run(0, State::Missing) {
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
    tried: HashSet<(u128, State)>,
}

impl Search<'_> {
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
                State::Stored { may_expire: true, .. } | State::Unknown => vec![state, State::Missing],
                _ => vec![state],
            };
            let unhappened = (self.operations[at].answer == Answer::None).then_some(state);
            let after =
                before.into_iter().filter_map(|state| step(self.operations[at], state)).chain(unhappened);
            if after.collect::<Vec<_>>().into_iter().any(|state| self.run(done, state)) {
                return true;
            }
        }
        false
    }
}

/// The row after the operation, if the row before explains its answer.
fn step(seen: &Seen, state: State) -> Option<State> {
    let present = state != State::Missing;
    let is = |version: RowVersion| match state {
        State::Missing => false,
        State::Stored { version: stored, .. } => stored == version,
        State::Unknown => true,
    };
    let shown = |version: Option<RowVersion>| version.map_or(!present || state == State::Unknown, is);
    let (applied, version) = match &seen.answer {
        Answer::Done { applied, version, old } => {
            if old.is_some_and(|old| !is(old)) {
                return None;
            }
            (*applied, *version)
        }
        Answer::Conflict => {
            let (What::Write(Op::Put { mode: PutMode::IfVersion(expected), .. })
            | What::Write(Op::Remove { expected: Some(expected), .. })) = &seen.what
            else {
                return None;
            };
            return (!is(*expected) || state == State::Unknown).then_some(state);
        }
        Answer::None => (true, None),
        Answer::Refused => return Some(state),
    };
    let What::Write(op) = &seen.what else { return shown(version).then_some(state) };
    let written = |may_expire| match version {
        Some(version) => State::Stored { version, may_expire },
        None => State::Unknown,
    };
    match op {
        Op::Put { mode, ttl, .. } => {
            let met = match mode {
                PutMode::Always => true,
                PutMode::IfAbsent => !present,
                PutMode::IfPresent => present,
                PutMode::IfVersion(expected) => is(*expected),
            };
            match applied {
                true => met.then(|| written(ttl.is_some())),
                false => (!met && shown(version)).then_some(state),
            }
        }
        Op::Remove { expected, .. } => match applied {
            true => (present && expected.is_none_or(is)).then_some(State::Missing),
            false => (!present).then_some(state),
        },
        // Nobody learnt of it: the row is the same, and may expire.
        Op::SetTtl { ttl } if seen.answer == Answer::None => match state {
            State::Stored { version, .. } => Some(State::Stored { version, may_expire: ttl.is_some() }),
            State::Missing | State::Unknown => Some(state),
        },
        Op::SetTtl { ttl } => match applied {
            true => (present && shown(version)).then(|| written(ttl.is_some())),
            false => (!present).then_some(state),
        },
        Op::Update(_) => present.then(|| written(true)),
    }
}
