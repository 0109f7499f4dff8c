//! Which rows a subscription is about.

use std::sync::Arc;

use super::{Event, EventKind};
use crate::{
    catalog::Map,
    expr::{Predicate, Scope, Source},
    partition::Change,
    row::{RowRef, Schema},
    store::Record,
    types::{Key, MapId, Position, Result, RowVersion},
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

    /// Takes in the map as a new version of the catalogue has it: columns may have moved.
    pub(super) fn follow(&mut self, map: &Map) -> Result<()> {
        if map.schema().map(|schema| schema.id()) != self.schema.as_ref().map(|schema| schema.id()) {
            let condition = self.predicate.as_ref().map(|predicate| predicate.text().to_owned());
            *self = Filter::compile(map, condition.as_deref())?;
        }
        Ok(())
    }

    /// Whether the row is one of the subscription's. A row for which the predicate has no answer is not.
    pub fn matches(&self, record: &Record) -> bool {
        let Some(predicate) = &self.predicate else { return true };
        let Ok(key) = Key::from_packed(record.key()) else { return false };
        match &self.schema {
            Some(schema) => match RowRef::trusted(schema, record.value()) {
                Ok(row) => predicate.matches(&Source::row(row, key.payload())),
                Err(_) => false,
            },
            None => predicate.matches(&Source::plain(record.value(), key.payload())),
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
