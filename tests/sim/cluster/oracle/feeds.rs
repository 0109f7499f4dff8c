//! "A subscription sees every committed change of a partition once, in order, across failover and reconnect", from its
//! token on, if that is within retention; "else an explicit overrun, then a fresh snapshot".

use std::collections::BTreeMap;

use embergrid::feed::{Event, EventKind, Message, Start};
use embergrid::partition::Change;
use embergrid::store::Record;
use embergrid::types::{Position, RowVersion};

use super::{History, Timeline, Verdict, ensure};
use crate::grid;

/// What a subscription is about.
#[derive(Clone, Copy)]
pub(crate) struct About {
    pub(crate) map: &'static str,
    pub(crate) condition: Option<&'static str>,
    /// What the condition says: rows above this amount.
    pub(crate) above: Option<i64>,
}

/// By key: version and value. A row's expiry is no event.
type Rows = BTreeMap<Vec<u8>, (RowVersion, Vec<u8>)>;

/// What one subscriber knows of one partition.
#[derive(Default)]
pub(crate) struct Follower {
    rows: Rows,
    /// The last that was told of each key.
    versions: BTreeMap<Vec<u8>, RowVersion>,
    place: Place,
    pub(crate) events: u64,
}

/// Where a follower is.
#[derive(Clone, Copy, Default)]
enum Place {
    /// It wants a snapshot, or one is under way.
    #[default]
    Nowhere,
    /// It wants what comes after it has asked, when that was committed.
    Now(Option<Position>),
    /// It knows of everything up to there.
    At(Position),
}

impl Follower {
    /// One that begins with the next change.
    pub(crate) fn from_now() -> Self {
        Follower { place: Place::Now(None), ..Follower::default() }
    }

    /// Up to where it knows everything.
    pub(crate) fn place(&self) -> Option<Position> {
        match self.place {
            Place::At(place) => Some(place),
            Place::Nowhere | Place::Now(_) => None,
        }
    }

    /// Where it goes on after a broken connection.
    pub(crate) fn resume(&mut self, history: &History) -> Start {
        match &mut self.place {
            Place::At(place) => Start::After(*place),
            Place::Now(committed) => {
                *committed = history.timeline().entries.last().map(|entry| entry.position);
                Start::Now
            }
            Place::Nowhere => {
                self.begin();
                Start::Snapshot
            }
        }
    }

    /// A message arrives.
    pub(crate) fn take(&mut self, message: &Message, about: &About, history: &History) -> Verdict {
        match message {
            Message::Overrun => {
                self.begin();
                Ok(())
            }
            Message::Snapshot { events } => {
                ensure(matches!(self.place, Place::Nowhere), || "a snapshot out of turn".into())?;
                events.iter().try_for_each(|event| self.fold(event))
            }
            Message::SnapshotEnd { at } => {
                self.place = Place::At(*at);
                let timeline = timeline(history, *at)?;
                let committed = timeline.rows_at(at.seq);
                let committed = committed.iter().filter(|((map, _), row)| {
                    *map == grid::map_id(&timeline.view, about.map) && about.is_about(timeline, row)
                });
                let committed: Rows = committed.map(|((_, key), row)| (key.clone(), seen(row))).collect();
                ensure(self.rows == committed, || {
                    format!("the snapshot at {at} is {:?}, committed is {committed:?}", self.rows)
                })
            }
            Message::Changes { after, upto, events } => {
                if let Place::Now(committed) = self.place {
                    ensure(Some(*after) >= committed, || {
                        format!("asked for what comes after {committed:?}, told {message:?}")
                    })?;
                    self.place = Place::At(*after);
                }
                ensure(self.place() == Some(*after), || {
                    format!("a gap or a repetition: at {:?}, told {message:?}", self.place())
                })?;
                self.place = Place::At(*upto);
                self.events += events.len() as u64;
                events.iter().try_for_each(|event| self.fold(event))?;
                let expected = about.events(timeline(history, *upto)?, *after, *upto)?;
                let told: Vec<_> = events.iter().map(told).collect();
                ensure(told == expected, || {
                    format!("from {after} to {upto} told {told:?}, committed {expected:?}")
                })
            }
        }
    }

    /// All that it knows is void.
    fn begin(&mut self) {
        *self = Follower { events: self.events, ..Follower::default() };
    }

    fn fold(&mut self, event: &Event) -> Verdict {
        let key = event.row.key().to_vec();
        let before = self.versions.insert(key.clone(), event.version);
        match event.kind {
            EventKind::Removed => self.rows.remove(&key),
            _ => self.rows.insert(key, seen(&event.row)),
        };
        ensure(before <= Some(event.version), || format!("after version {before:?} of a row comes {event:?}"))
    }
}

fn timeline(history: &History, at: Position) -> Result<&Timeline, String> {
    let timeline = history.of(at.generation).filter(|timeline| timeline.is_here(at));
    timeline.ok_or_else(|| format!("told of {at}, which is no committed entry"))
}

fn seen(row: &Record) -> (RowVersion, Vec<u8>) {
    (row.row_version(), row.value().to_vec())
}

type Telling = (EventKind, Vec<u8>, RowVersion, Option<Position>);

fn told(event: &Event) -> Telling {
    (event.kind, event.row.key().to_vec(), event.version, event.at)
}

impl About {
    fn is_about(&self, timeline: &Timeline, row: &Record) -> bool {
        let map = grid::map_id(&timeline.view, self.map);
        self.above.is_none_or(|above| grid::read(&timeline.view, map, row.value()).0 > above)
    }

    /// What there is to tell after one entry, up to and including another.
    fn events(&self, timeline: &Timeline, after: Position, upto: Position) -> Result<Vec<Telling>, String> {
        ensure(timeline.is_here(after), || format!("{after} is not of the history of {upto}"))?;
        let map = grid::map_id(&timeline.view, self.map);
        let mut events = Vec::new();
        let entries = timeline.entries.iter().take(upto.seq.0 as usize).skip(after.seq.0 as usize);
        for (entry, change) in
            entries.flat_map(|entry| entry.changes.iter().map(move |change| (entry, change)))
        {
            let Some((of, old, new)) = change.row() else { continue };
            if of != map || matches!(change, Change::Ttl { .. }) {
                continue;
            }
            let was = old.filter(|row| self.is_about(timeline, row));
            let is = new.filter(|row| self.is_about(timeline, row));
            let at = Some(entry.position);
            let gone = RowVersion(entry.position.seq.0);
            events.extend(match (was, is) {
                (None, Some(row)) => Some((EventKind::Added, row.key().to_vec(), row.row_version(), at)),
                (Some(_), Some(row)) => Some((EventKind::Updated, row.key().to_vec(), row.row_version(), at)),
                (Some(row), None) => {
                    let version = new.map_or(gone, Record::row_version);
                    Some((EventKind::Removed, row.key().to_vec(), version, at))
                }
                (None, None) => None,
            });
        }
        Ok(events)
    }
}
