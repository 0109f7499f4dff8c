//! One client operation inside the core.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Answer, Change, MapView, Op, Origin, Outcome, PutMode, Request, Ttl, tickets::Gathering};
use crate::{
    expr::Update,
    row::RowRef,
    store::{KeyHash, Record},
    types::{Error, Key, RowVersion, Timestamp},
};

/// Retries of one request that wait for its answer together; more than these lose the reply, not the effect.
const MAX_RETRIES: usize = 8;

/// An admitted request.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) request: Request,
    pub(super) hash: KeyHash,
    /// Other places that asked for the same answer since.
    pub(super) retries: SmallVec<[Origin; 1]>,
    pub(super) admitted_us: u64,
}

impl Operation {
    /// The same request came again.
    pub(super) fn add_retry(&mut self, origin: Origin) {
        if self.retries.len() == MAX_RETRIES {
            self.retries.remove(0);
        }
        self.retries.push(origin);
    }
}

/// A row about to be written.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) value: Bytes,
    pub(super) life: Life,
}

/// How long a written row lives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Life {
    /// From the write on; for ever if none.
    New(Option<Ttl>),
    /// Until then; for ever if none.
    Kept(Option<Timestamp>),
}

/// What an operation comes to, given the row as it is.
#[derive(Debug)]
pub(super) enum Decision<'a> {
    /// Nothing changes.
    Answer(Answer),
    /// The row is written.
    Write(&'a Bytes, Life),
    /// The row is computed anew from this one.
    Update(Record, Arc<Update>),
    /// This row is removed.
    Remove(Record),
    /// This row's expiry changes.
    SetTtl(Record, Option<Ttl>),
}

/// An operation that waits for scores.
#[derive(Debug)]
pub(super) struct Scoring {
    pub(super) write: Write,
    pub(super) map: Arc<MapView>,
    pub(super) gathering: Gathering,
}

/// Decides an operation over the row as it is.
pub(super) fn decide<'a>(op: &'a Op, current: Option<&Record>) -> Decision<'a> {
    match op {
        Op::Put { value, mode, want_old, ttl } => match condition(*mode, current) {
            Condition::Met => Decision::Write(value, Life::New(*ttl)),
            Condition::NotMet => Decision::Answer(Ok(not_applied(current, *want_old))),
            Condition::Conflict(error) => Decision::Answer(Err(error)),
        },
        Op::Remove { expected, want_old } => match (expected, current) {
            (Some(expected), _) if current.map(Record::row_version) != Some(*expected) => {
                Decision::Answer(Err(conflict(*expected, current)))
            }
            (_, Some(record)) => Decision::Remove(record.clone()),
            (_, None) => Decision::Answer(Ok(not_applied(None, *want_old))),
        },
        Op::Update(update) => match current {
            Some(record) => Decision::Update(record.clone(), update.clone()),
            None => Decision::Answer(Err(Box::new(Error::not_found("there is no row to update")))),
        },
        Op::SetTtl { ttl } => match current {
            Some(record) => Decision::SetTtl(record.clone(), *ttl),
            None => Decision::Answer(Ok(not_applied(None, false))),
        },
    }
}

enum Condition {
    Met,
    NotMet,
    Conflict(Box<Error>),
}

fn condition(mode: PutMode, current: Option<&Record>) -> Condition {
    let met = match mode {
        PutMode::Always => true,
        PutMode::IfAbsent => current.is_none(),
        PutMode::IfPresent => current.is_some(),
        PutMode::IfVersion(expected) => {
            if current.map(Record::row_version) != Some(expected) {
                return Condition::Conflict(conflict(expected, current));
            }
            true
        }
    };
    if met { Condition::Met } else { Condition::NotMet }
}

#[cold]
fn conflict(expected: RowVersion, current: Option<&Record>) -> Box<Error> {
    let message = match current {
        Some(record) => format!("the row has version {}, not {expected}", record.row_version()),
        None => format!("there is no row, so none of version {expected}"),
    };
    Box::new(Error::conflict(message).hint("read the row again and decide anew"))
}

fn not_applied(current: Option<&Record>, want_old: bool) -> Outcome {
    Outcome {
        applied: false,
        version: current.map(Record::row_version),
        old: current.filter(|_| want_old).cloned(),
        record: None,
    }
}

/// The row that an update makes of one.
pub(super) fn updated(update: &Update, map: &MapView, key: &Key, old: &Record) -> Result<Write, Error> {
    let Some(schema) = map.map.schema() else {
        return Err(Error::invalid(format!(
            "the map `{}` is plain: its values have no columns",
            map.map.name
        )));
    };
    if update.schema() != schema.id() {
        return Err(Error::unavailable(format!(
            "the map `{}` has got another schema meanwhile",
            map.map.name
        ))
        .hint("retry"));
    }
    let row = RowRef::trusted(schema, old.value())?;
    let value = update.apply(row, key.payload())?.into();
    Ok(Write { value, life: Life::Kept(old.expires_at()) })
}

/// What the reply to an applied operation says.
pub(super) fn outcome(op: &Op, change: &Change, show_record: bool) -> Outcome {
    let show_record = show_record || matches!(op, Op::Update(_));
    let want_old = matches!(op, Op::Put { want_old: true, .. } | Op::Remove { want_old: true, .. });
    let (old, new) = change.row().map_or((None, None), |(_, old, new)| (old, new));
    Outcome {
        applied: true,
        version: new.map(Record::row_version),
        old: old.filter(|_| want_old).cloned(),
        record: new.filter(|_| show_record).cloned(),
    }
}
