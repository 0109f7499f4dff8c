//! Every entry is explained by one request or by the passing of time: it does what was asked for over the row as it was,
//! and answers accordingly.

use embergrid::partition::{Answer, Change, Entry, Op, Outcome, Request, Ttl};
use embergrid::store::Record;
use embergrid::types::{Class, Error, RowVersion, Timestamp};

use super::{Timeline, Verdict, ensure};
use crate::asked::{condition, holds, old_is};
use crate::grid;

/// The entry does what the request asks for.
pub(super) fn explained(of: &Timeline, request: &Request, answer: &Answer, entry: &Entry) -> Verdict {
    let before = of.rows.get(&(request.map, request.key.packed().to_vec()));
    let wrong = |what: &str| format!("{what}: {request:?} over {before:?} became {entry:?}");
    let outcome = match answer {
        Ok(outcome) => outcome,
        Err(error) => {
            ensure(entry.changes.is_empty(), || wrong("refused and yet changed"))?;
            return ensure(may_refuse(of, request, before, error), || wrong("no reason to refuse"));
        }
    };
    ensure(outcome.applied == holds(&request.op, before), || wrong("the condition"))?;
    ensure(old_is(outcome, &request.op, before), || wrong("the row shown"))?;
    if !outcome.applied {
        let version = before.map(Record::row_version);
        return ensure(outcome.version == version && entry.changes.is_empty(), || wrong("not applied"));
    }
    let expires_at = |ttl: Option<Ttl>| ttl.map(|ttl| Timestamp(entry.time.0 + ttl.ms as i64));
    match (&request.op, &entry.changes[..]) {
        (Op::Put { value, ttl, .. }, [Change::Put { map, new, .. }]) => {
            let fits = amount(of, request, new) == grid::read(&of.view, *map, value).0;
            ensure(fits, || wrong("another row"))?;
            ensure(new.expires_at() == expires_at(*ttl), || wrong("the expiry"))?;
            ensure(is_written(request, entry, outcome, new), || wrong("the version"))
        }
        (Op::Update(_), [Change::Put { new, .. }]) => {
            let raised = before.is_some_and(|old| amount(of, request, new) == amount(of, request, old) + 1);
            ensure(raised, || wrong("another row"))?;
            let expiry = before.and_then(Record::expires_at);
            ensure(new.expires_at() == expiry, || wrong("the expiry"))?;
            ensure(is_written(request, entry, outcome, new), || wrong("the version"))
        }
        (Op::Remove { .. }, [Change::Remove { .. }]) => Ok(()),
        (Op::SetTtl { ttl }, [Change::Ttl { new, .. }]) => {
            ensure(new.expires_at() == expires_at(*ttl), || wrong("the expiry"))
        }
        _ => Err(wrong("another change")),
    }
}

fn amount(of: &Timeline, request: &Request, record: &Record) -> i64 {
    grid::read(&of.view, request.map, record.value()).0
}

fn is_written(request: &Request, entry: &Entry, outcome: &Outcome, new: &Record) -> bool {
    let version = RowVersion(entry.position.seq.0);
    new.key() == request.key.packed() && new.row_version() == version && outcome.version == Some(version)
}

fn may_refuse(of: &Timeline, request: &Request, before: Option<&Record>, error: &Error) -> bool {
    let is_write = matches!(request.op, Op::Put { .. } | Op::Update(_));
    let strict = of.view.maps.get(&request.map).is_some_and(|map| map.map.name == grid::STRICT);
    match error.class {
        Class::Conflict => !condition(&request.op, before),
        Class::NotFound => matches!(request.op, Op::Update(_)) && before.is_none(),
        // There was no score.
        Class::Deadline => is_write && strict,
        _ => false,
    }
}

/// An entry that nobody asked for.
pub(super) fn spontaneous(of: &Timeline, entry: &Entry) -> Verdict {
    let expected = match &entry.changes[..] {
        [Change::Expire { old, .. }] => old.expires_at().is_some_and(|at| at <= entry.time),
        [Change::Scored { old, new, map }] => {
            old.row_version() == new.row_version()
                && old.unscored()
                && old.expires_at() == new.expires_at()
                && grid::read(&of.view, *map, old.value()).0 == grid::read(&of.view, *map, new.value()).0
        }
        [Change::Catalogue(_) | Change::EndSession(_)] => true,
        _ => false,
    };
    ensure(expected, || format!("nobody asked for {entry:?}"))
}
