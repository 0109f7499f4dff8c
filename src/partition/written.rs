//! Entries as they are written for other replicas.
//!
//! An answer mostly shows rows that the entry changes anyway. They are written once, and are one row in the reader's
//! memory too.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};
use smallvec::SmallVec;

use super::{Answered, Change, Entry, Outcome};
use crate::{
    store::Record,
    types::{CatalogueVersion, Error, Position, RequestId, RowVersion, Timestamp},
};

/// An entry, with changes `C`, rows `R` and refusals `E`, which are borrowed by the writer and owned by the reader.
#[derive(Serialize, Deserialize)]
struct Written<C, R, E> {
    position: Position,
    time: Timestamp,
    view: CatalogueVersion,
    changes: C,
    answered: Option<WrittenAnswer<R, E>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenAnswer<R, E> {
    id: RequestId,
    acknowledged_below: u64,
    result: Result<WrittenOutcome<R>, E>,
}

#[derive(Serialize, Deserialize)]
struct WrittenOutcome<R> {
    applied: bool,
    version: Option<RowVersion>,
    old: Shown<R>,
    record: Shown<R>,
}

/// A row that an answer shows, or not.
#[derive(Serialize, Deserialize)]
enum Shown<R> {
    None,
    /// The one that the first change has there.
    Changed,
    Other(R),
}

/// The rows of the first change, before and after.
fn rows(changes: &[Change]) -> [Option<&Record>; 2] {
    let row = changes.first().and_then(Change::row);
    row.map_or([None, None], |(_, old, new)| [old, new])
}

impl<'a> Shown<&'a Record> {
    fn of(shown: Option<&'a Record>, changed: Option<&Record>) -> Self {
        match shown {
            None => Shown::None,
            Some(_) if shown == changed => Shown::Changed,
            Some(shown) => Shown::Other(shown),
        }
    }
}

impl Shown<Record> {
    /// None if the entry has no such row.
    fn resolve(self, changed: Option<&Record>) -> Option<Option<Record>> {
        match self {
            Shown::None => Some(None),
            Shown::Changed => changed.cloned().map(Some),
            Shown::Other(shown) => Some(Some(shown)),
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [old, new] = rows(&self.changes);
        let answered = self.answered.as_ref().map(|answered| WrittenAnswer {
            id: answered.id,
            acknowledged_below: answered.acknowledged_below,
            result: answered.answer.as_ref().map(|outcome| WrittenOutcome {
                applied: outcome.applied,
                version: outcome.version,
                old: Shown::of(outcome.old.as_ref(), old),
                record: Shown::of(outcome.record.as_ref(), new),
            }),
        });
        let Entry { position, time, view, .. } = *self;
        Written { position, time, view, changes: self.changes.as_slice(), answered }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { position, time, view, changes: Changes(changes), answered } =
            Written::deserialize(deserializer)?;
        let answered = match answered {
            Some(answer) => {
                let answered = read(answer, &changes);
                Some(
                    answered
                        .ok_or_else(|| D::Error::custom("an answer shows a row that its entry has not"))?,
                )
            }
            None => None,
        };
        Ok(Entry { position, time, view, answered, changes })
    }
}

fn read(answer: WrittenAnswer<Record, Box<Error>>, changes: &[Change]) -> Option<Answered> {
    let [old, new] = rows(changes);
    let WrittenAnswer { id, acknowledged_below, result } = answer;
    let answer = match result {
        Ok(WrittenOutcome { applied, version, old: shown, record }) => {
            Ok(Outcome { applied, version, old: shown.resolve(old)?, record: record.resolve(new)? })
        }
        Err(error) => Err(error),
    };
    Some(Answered { id, acknowledged_below, answer })
}

/// Changes, read one by one: a length that is not true allocates nothing.
struct Changes(SmallVec<[Change; 1]>);

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OneByOne)
    }
}

struct OneByOne;

impl<'de> Visitor<'de> for OneByOne {
    type Value = Changes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the changes of an entry")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Changes, A::Error> {
        let mut changes = SmallVec::new();
        while let Some(change) = seq.next_element()? {
            changes.push(change);
        }
        Ok(Changes(changes))
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::{
        store::Parts,
        types::{Key, MapId, SessionId},
    };

    fn record(version: u64) -> Record {
        Record::new(&Parts {
            key: Key::from(1).packed(),
            value: &[7; 100],
            row_version: RowVersion(version),
            expires_at: None,
            unscored: false,
            lineage: smallvec![],
        })
    }

    fn entry(old: Option<Record>, shown: Option<Record>, record: Record) -> Entry {
        let outcome = Outcome { applied: true, old: shown, record: Some(record.clone()), version: None };
        let id = RequestId { session: SessionId(1), number: 2 };
        Entry {
            position: Position::default(),
            time: Timestamp(3),
            view: CatalogueVersion(4),
            answered: Some(Answered { id, acknowledged_below: 1, answer: Ok(outcome) }),
            changes: smallvec![Change::Put { map: MapId(1), old, new: record }],
        }
    }

    #[test]
    fn a_row_that_is_changed_and_shown_is_written_once_and_read_as_one() {
        let written = entry(Some(record(1)), Some(record(1)), record(2));
        let text = serde_json::to_string(&written).unwrap();
        let row = serde_json::to_string(&record(1)).unwrap();
        assert_eq!(text.matches(&row).count(), 1);
        let entry: Entry = serde_json::from_str(&text).unwrap();
        assert_eq!(entry, written);
        let (_, old, new) = entry.changes[0].row().unwrap();
        let outcome = entry.answered.as_ref().unwrap().answer.as_ref().unwrap();
        assert!(old.unwrap().same(outcome.old.as_ref().unwrap()));
        assert!(new.unwrap().same(outcome.record.as_ref().unwrap()));
    }

    #[test]
    fn another_row_is_shown_as_it_is() {
        for old in [None, Some(record(3))] {
            let written = entry(old, Some(record(1)), record(2));
            let text = serde_json::to_string(&written).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), written);
        }
    }

    #[test]
    fn a_row_that_is_not_there_is_refused() {
        let mut written = entry(Some(record(1)), Some(record(1)), record(2));
        let text = serde_json::to_string(&written).unwrap();
        written.changes = smallvec![Change::EndSession(SessionId(1))];
        let changes = |entry: &Entry| serde_json::to_string(entry.changes.as_slice()).unwrap();
        let changed: Entry = serde_json::from_str(&text).unwrap();
        let text = text.replace(&changes(&changed), &changes(&written));
        let error = serde_json::from_str::<Entry>(&text).unwrap_err().to_string();
        assert!(error.contains("shows a row that its entry has not"), "{error}");
    }
}
