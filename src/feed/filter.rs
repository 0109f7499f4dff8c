//! Which rows a subscription is about.

use std::sync::Arc;

use super::{Event, EventKind, Source as Feeding};
use crate::{
    catalog::Map,
    expr::{Predicate, Scope, Source},
    mutant::Mutant,
    partition::{Change, Cutover, View},
    row::{RowRef, Schema},
    store::{NotServing, Record},
    types::{Error, KeyRef, MapId, Position, Result, RowVersion},
};

/// A map and a predicate over its rows.
#[derive(Clone, Debug)]
pub struct Filter {
    map: MapId,
    /// The schema that reads its rows; none for a plain map.
    schema: Option<Arc<Schema>>,
    /// What a row must satisfy; none: nothing.
    predicate: Option<Arc<Predicate>>,
}

impl Filter {
    /// The rows of a map that satisfy `condition`, or all of them.
    pub fn compile(map: &Map, condition: Option<&str>) -> Result<Filter> {
        let schema = map.schema().cloned();
        let scope = match &schema {
            Some(schema) => Scope::feature(schema, map.key_kind),
            None => Scope::plain(map.key_kind),
        };
        let predicate = condition.map(|text| Predicate::parse(text, &scope).map(Arc::new)).transpose()?;
        Ok(Filter { map: map.id, schema, predicate })
    }

    /// The map.
    pub fn map(&self) -> MapId {
        self.map
    }

    /// The catalogue changes. `view` is that catalogue or a later one.
    pub(super) fn follow(&mut self, catalogue: &Cutover, view: &View) -> Result<()> {
        if !catalogue.maps.contains(&self.map) {
            return Err(Error::not_found("the map was dropped"));
        }
        self.read_by(view)
    }

    /// The catalogue is what it is, whatever changed it: a map that is not there may still be to come.
    pub(super) fn catch_up(&mut self, source: &Feeding<'_>) -> Result<()> {
        if !source.is_readable() {
            let error = Error::unavailable("this node has yet to hear of the partition's catalogue");
            return Err(error.hint("retry in a moment"));
        }
        if !source.log.catalogue().maps.contains(&self.map) {
            return Err(NotServing::NoMap.into());
        }
        self.read_by(source.view)
    }

    /// A later schema reads the rows of all before it, so the filter moves to it.
    fn read_by(&mut self, view: &View) -> Result<()> {
        // Dropped later on: an entry to come says so.
        let Some(map) = view.maps.get(&self.map) else { return Ok(()) };
        let schema = |schema: Option<&Arc<Schema>>| schema.map(|schema| schema.id());
        if schema(map.map.schema()) > schema(self.schema.as_ref()) {
            let condition = self.predicate.as_ref().map(|predicate| predicate.text().to_owned());
            *self = Filter::compile(&map.map, condition.as_deref())?;
        }
        Ok(())
    }

    /// Whether the row is one of the subscription's. A row for which the predicate has no answer is not.
    pub fn matches(&self, record: &Record) -> bool {
        let Some(predicate) = &self.predicate else { return true };
        let Ok(key) = KeyRef::from_packed(record.key()) else { return false };
        match &self.schema {
            Some(schema) => match RowRef::trusted(schema, record.value()) {
                Ok(row) => predicate.matches(&Source::row(row, key)),
                Err(_) => false,
            },
            None => predicate.matches(&Source::plain(record.value(), key)),
        }
    }

    /// The row as part of a snapshot.
    pub(super) fn snapshot(&self, row: Record) -> Option<Event> {
        self.matches(&row).then(|| Event {
            kind: EventKind::Snapshot,
            version: row.row_version(),
            row,
            old: None,
            at: None,
        })
    }

    /// What a change of the entry at `at` means to the subscription.
    pub(super) fn event(&self, change: &Change, at: Position) -> Option<Event> {
        // A row that lives longer is the same row.
        if matches!(change, Change::Ttl { .. }) {
            return None;
        }
        let (_, old, new) = change.row().filter(|(map, _, _)| *map == self.map)?;
        let old = old.filter(|record| self.matches(record));
        match (old, new) {
            (old, Some(new)) if self.matches(new) => Some(Event {
                kind: if old.is_some() { EventKind::Updated } else { EventKind::Added },
                row: new.clone(),
                old: old.cloned(),
                version: new.row_version(),
                at: Some(at),
            }),
            (Some(_), Some(_)) if Mutant::HidesLeaving.is_on() => None,
            (Some(old), new) => Some(Event {
                kind: EventKind::Removed,
                row: old.clone(),
                old: Some(old.clone()),
                version: new.map_or(RowVersion(at.seq.0), Record::row_version),
                at: Some(at),
            }),
            (None, _) => None,
        }
    }
}
