//! What must hold, said without looking at how it is done: a map is a sequence of entries, each explained by one request
//! or by the passing of time, and every answer is what the sequence says.

use std::collections::BTreeMap;
use std::sync::Arc;

use embergrid::partition::{Answer, Change, Entry, Op, Outcome, Request, View};
use embergrid::store::Record;
use embergrid::types::{Class, Error, MapId, RequestId, RowVersion, SessionId, Timestamp};

use crate::asked::{condition, holds, old_is};
use crate::grid;

/// How late a row may expire.
const LATENESS_MS: i64 = 1_000;

/// The rows as the entries so far leave them, and every request and answer.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) rows: BTreeMap<(MapId, Vec<u8>), Record>,
    pub(crate) view: Arc<View>,
    /// The views that entries may cut over to.
    pub(crate) views: Vec<Arc<View>>,
    requests: BTreeMap<RequestId, Request>,
    answers: BTreeMap<RequestId, Answer>,
    seq: u64,
    time: Option<Timestamp>,
    /// Scores that came in an entry of their own.
    pub(crate) scored_late: u64,
    pub(crate) expired: u64,
}

pub(crate) type Verdict = Result<(), String>;

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

impl Oracle {
    pub(crate) fn asked(&mut self, request: &Request) {
        self.requests.insert(request.id.unwrap(), request.clone());
    }

    /// An entry is published.
    pub(crate) fn entry(&mut self, entry: &Entry) -> Verdict {
        ensure(entry.position.seq.0 == self.seq + 1, || format!("a gap: {entry:?} after {}", self.seq))?;
        ensure(self.time.is_none_or(|time| time <= entry.time), || format!("time goes back: {entry:?}"))?;
        self.seq = entry.position.seq.0;
        self.time = Some(entry.time);
        match &entry.answered {
            Some(answered) => {
                let id = asked_as(answered.id);
                let request = self.requests.get(&id).cloned().ok_or_else(|| format!("unasked: {entry:?}"))?;
                let again = self.answers.insert(id, answered.answer.clone());
                ensure(again.is_none(), || format!("takes effect twice: {entry:?}"))?;
                self.explained(&request, &answered.answer, entry)?;
            }
            None => self.spontaneous(entry)?,
        }
        for change in &entry.changes {
            self.change(change, entry)?;
        }
        ensure(entry.view == self.view.version, || {
            format!("another view than {}: {entry:?}", self.view.version)
        })
    }

    /// The entry does what the request asks for, over the row as it was.
    fn explained(&self, request: &Request, answer: &Answer, entry: &Entry) -> Verdict {
        let before = self.rows.get(&(request.map, request.key.packed().to_vec()));
        let wrong = |what: &str| format!("{what}: {request:?} over {before:?} became {entry:?}");
        let outcome = match answer {
            Ok(outcome) => outcome,
            Err(error) => {
                ensure(entry.changes.is_empty(), || wrong("refused and yet changed"))?;
                return ensure(self.may_refuse(request, before, error), || wrong("no reason to refuse"));
            }
        };
        ensure(outcome.applied == holds(&request.op, before), || wrong("the condition"))?;
        if !outcome.applied {
            let version = before.map(Record::row_version);
            ensure(outcome.version == version && entry.changes.is_empty(), || wrong("not applied"))?;
            return ensure(old_is(outcome, &request.op, before), || wrong("the row shown"));
        }
        ensure(old_is(outcome, &request.op, before), || wrong("the old row"))?;
        let expires_at =
            |ttl: Option<embergrid::partition::Ttl>| ttl.map(|ttl| Timestamp(entry.time.0 + ttl.ms as i64));
        match (&request.op, &entry.changes[..]) {
            (Op::Put { value, ttl, .. }, [Change::Put { map, new, .. }]) => {
                let asked = grid::read(&self.view, *map, value).0;
                let written = grid::read(&self.view, *map, new.value()).0;
                let fits = written == asked && new.key() == request.key.packed() && *map == request.map;
                ensure(fits, || wrong("another row"))?;
                ensure(new.expires_at() == expires_at(*ttl), || wrong("the expiry"))?;
                ensure(new.row_version() == RowVersion(entry.position.seq.0), || wrong("the version"))?;
                ensure(outcome.version == Some(new.row_version()), || wrong("the version answered"))
            }
            (Op::Remove { .. }, [Change::Remove { .. }]) => Ok(()),
            (Op::SetTtl { ttl }, [Change::Ttl { new, .. }]) => {
                ensure(new.expires_at() == expires_at(*ttl), || wrong("the expiry"))
            }
            _ => Err(wrong("another change")),
        }
    }

    fn may_refuse(&self, request: &Request, before: Option<&Record>, error: &Error) -> bool {
        let is_put = matches!(request.op, Op::Put { .. });
        let strict = self.view.maps.get(&request.map).is_some_and(|map| map.map.name == grid::STRICT);
        match error.class {
            Class::Conflict => !condition(&request.op, before),
            Class::Deadline => request.deadline_us.is_some() || (is_put && strict),
            _ => false,
        }
    }

    /// An entry that nobody asked for.
    fn spontaneous(&self, entry: &Entry) -> Verdict {
        let expected = match &entry.changes[..] {
            [Change::Expire { old, .. }] => {
                let late = entry.time.0 - old.expires_at().map_or(i64::MAX, |at| at.0);
                (0..=LATENESS_MS).contains(&late)
            }
            [Change::Scored { old, new, map }] => {
                old.row_version() == new.row_version()
                    && old.unscored()
                    && old.expires_at() == new.expires_at()
                    && grid::read(&self.view, *map, old.value()).0
                        == grid::read(&self.view, *map, new.value()).0
            }
            [Change::Catalogue(view)] => view.version > self.view.version,
            _ => false,
        };
        ensure(expected, || format!("nobody asked for {entry:?}"))
    }

    fn change(&mut self, change: &Change, entry: &Entry) -> Verdict {
        if let Change::Catalogue(catalogue) = change {
            let view = self.views.iter().find(|view| view.version == catalogue.version);
            self.view = view.ok_or_else(|| format!("an unknown catalogue: {entry:?}"))?.clone();
        }
        if let Change::Put { map, new, .. } | Change::Scored { map, new, .. } = change {
            self.score(*map, new).map_err(|what| format!("{what}: {entry:?}"))?;
        }
        self.scored_late += u64::from(matches!(change, Change::Scored { .. }));
        self.expired += u64::from(matches!(change, Change::Expire { .. }));
        let Some((map, old, new)) = change.row() else { return Ok(()) };
        let key = old.or(new).unwrap().key().to_vec();
        let before = match new {
            Some(new) => self.rows.insert((map, key), new.clone()),
            None => self.rows.remove(&(map, key)),
        };
        ensure(before.as_ref() == old, || format!("{entry:?} says the row was another than {before:?}"))
    }

    /// The score is of this very row, by the model that this entry's catalogue names; or the row says that it lacks it.
    fn score(&self, map: MapId, record: &Record) -> Verdict {
        let bindings = &self.view.maps[&map].bindings;
        let (amount, score) = grid::read(&self.view, map, record.value());
        let lineage: Vec<_> = record.lineage().collect();
        if bindings.is_empty() || record.unscored() {
            let lenient = bindings.is_empty() || self.view.maps[&map].map.name == grid::LENIENT;
            return ensure(lenient && score.is_none() && lineage.is_empty(), || {
                "a score from nowhere".into()
            });
        }
        let version = bindings[0].model.version;
        let fits =
            matches!(lineage[..], [one] if one.binding == bindings[0].id && one.model_version == version);
        ensure(fits, || format!("the score's lineage {lineage:?} is not version {version}"))?;
        ensure(score == Some(grid::risk(amount, version)), || {
            format!("the score {score:?} of {amount} is wrong")
        })
    }

    /// An answer reaches its client. True if it is the last word; else the client may ask again.
    pub(crate) fn answer(&self, id: RequestId, answer: &Result<Outcome, Error>) -> Result<bool, String> {
        let refusal = answer.as_ref().err().map(|error| error.class);
        let Some(kept) = self.answers.get(&id) else {
            let passing = [Class::Overloaded, Class::Unavailable, Class::Deadline];
            let refused = refusal.is_some_and(|class| passing.contains(&class));
            ensure(refused, || format!("{id:?} was answered {answer:?}, and no entry says so"))?;
            return Ok(refusal == Some(Class::Deadline));
        };
        let same = kept.as_ref().map_err(|error| &**error) == answer.as_ref();
        // A refusal may have been on its way while another copy was admitted.
        let passing = matches!(refusal, Some(Class::Overloaded | Class::Unavailable));
        ensure(same || passing, || format!("{id:?}: {kept:?}, and then {answer:?}"))?;
        Ok(same)
    }
}

/// A client that breaks the rule of retries repeats a request under a session this much higher.
pub(crate) const ALIAS: u64 = 1_000;

fn asked_as(id: RequestId) -> RequestId {
    RequestId { session: SessionId(id.session.0 % ALIAS), ..id }
}
