//! A subscriber, and what it may rely on: from what it is told it knows, at every position it is told of, exactly the rows
//! that satisfy its predicate.

use std::collections::BTreeMap;

use embergrid::feed::{Event, EventKind, Filter, Message, Start};
use embergrid::partition::View;
use embergrid::store::Record;
use embergrid::types::{MapId, Position, RowVersion};

use super::oracle::{Oracle, Verdict, ensure};
use crate::grid;

/// The rows of the lenient map above this amount: scores arrive late there.
const ABOVE: i64 = 300;

/// By key: version and value. A row's expiry is no event.
pub(crate) type Rows = BTreeMap<Vec<u8>, (RowVersion, Vec<u8>)>;

/// What one subscriber knows.
#[derive(Default)]
pub(crate) struct Follower {
    rows: Rows,
    /// None while a snapshot is under way.
    place: Option<Position>,
    pub(crate) overruns: u64,
}

pub(crate) fn filter(view: &View) -> Filter {
    let map = grid::map_id(view, grid::LENIENT);
    Filter::compile(&view.maps[&map].map, Some(&format!("amount > {ABOVE}"))).unwrap()
}

/// The rows it is about, as the entries so far leave them.
pub(crate) fn matching(oracle: &Oracle, view: &View) -> Rows {
    let map: MapId = grid::map_id(view, grid::LENIENT);
    let of_map = oracle.rows.iter().filter(|((of, _), _)| *of == map);
    let rows = of_map.filter(|(_, row)| grid::read(view, map, row.value()).0 > ABOVE);
    rows.map(|((_, key), row)| (key.clone(), seen(row))).collect()
}

fn seen(row: &Record) -> (RowVersion, Vec<u8>) {
    (row.row_version(), row.value().to_vec())
}

impl Follower {
    /// Up to where it knows everything.
    pub(crate) fn place(&self) -> Option<Position> {
        self.place
    }

    /// Where it would go on after a broken connection.
    pub(crate) fn resume(&mut self) -> Start {
        match self.place {
            Some(place) => Start::After(place),
            None => {
                self.rows.clear();
                Start::Snapshot
            }
        }
    }

    /// A message arrives. `history` has the matching rows after every entry.
    pub(crate) fn take(&mut self, message: &Message, history: &BTreeMap<Position, Rows>) -> Verdict {
        match message {
            Message::Overrun => {
                self.overruns += 1;
                self.place = None;
                self.rows.clear();
            }
            Message::Snapshot { events } => {
                ensure(self.place.is_none(), || "a snapshot out of turn".into())?;
                events.iter().for_each(|event| self.fold(event));
            }
            Message::SnapshotEnd { at } => {
                self.place = Some(*at);
                return self.compare(*at, history);
            }
            Message::Changes { after, upto, events } => {
                ensure(self.place == Some(*after), || {
                    format!("a gap: at {:?}, told {message:?}", self.place)
                })?;
                for event in events {
                    let known = self.rows.contains_key(event.row.key());
                    let fits = known == (event.kind != EventKind::Added) && event.kind != EventKind::Snapshot;
                    ensure(fits, || format!("known {known}, told {event:?}"))?;
                    self.fold(event);
                }
                self.place = Some(*upto);
                return self.compare(*upto, history);
            }
        }
        Ok(())
    }

    fn fold(&mut self, event: &Event) {
        let key = event.row.key().to_vec();
        match event.kind {
            EventKind::Removed => self.rows.remove(&key),
            _ => self.rows.insert(key, seen(&event.row)),
        };
    }

    fn compare(&self, at: Position, history: &BTreeMap<Position, Rows>) -> Verdict {
        let expected = history.get(&at).ok_or_else(|| format!("told of {at}, which is no entry"))?;
        ensure(*expected == self.rows, || {
            format!("at {at} it knows {:?}, committed is {expected:?}", self.rows)
        })
    }
}
