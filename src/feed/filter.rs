//! Which rows of which map.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{Event, Kind};
use crate::{
    catalog::Map,
    expr::{Predicate, Scope, Source},
    partition::Change,
    row::RowRef,
    store::Record,
    types::{KeyRef, MapId, Result, SchemaId},
};

/// A predicate over a map, or all of its rows.
#[derive(Clone, Debug)]
pub struct Filter {
    map: Arc<Map>,
    predicate: Option<Predicate>,
}

impl Filter {
    /// All rows, or those of which `text` is true.
    pub fn parse(map: Arc<Map>, text: Option<&str>) -> Result<Filter> {
        let scope = match map.schema() {
            Some(schema) => Scope::feature(schema, map.key_kind),
            None => Scope::plain(map.key_kind),
        };
        let predicate = text.map(|text| Predicate::parse(text, &scope)).transpose()?;
        Ok(Filter { map, predicate })
    }

    /// The map.
    pub fn map(&self) -> MapId {
        self.map.id
    }

    /// Tells one filter's tokens from another's.
    pub fn fingerprint(&self) -> u64 {
        self.predicate.as_ref().map_or(0, |predicate| xxh3_64(predicate.text().as_bytes()))
    }

    /// Whether the row is one of them. A row that cannot be read is not.
    pub fn matches(&self, record: &Record) -> bool {
        let Some(predicate) = &self.predicate else { return true };
        let Ok(key) = KeyRef::from_packed(record.key()) else { return false };
        match self.map.schema() {
            None => predicate.matches(&Source::plain(record.value(), key)),
            Some(schema) => RowRef::trusted(schema, record.value())
                .is_ok_and(|row| predicate.matches(&Source::row(row, key))),
        }
    }

    /// The same filter over a later schema of its map; none if this one is as late.
    pub(super) fn following(&self, map: &Arc<Map>) -> Option<Result<Filter>> {
        let schema = |map: &Map| map.schema().map(|schema| schema.id());
        let (mine, later): (Option<SchemaId>, _) = (schema(&self.map), schema(map));
        (later > mine)
            .then(|| Filter::parse(map.clone(), self.predicate.as_ref().map(|predicate| predicate.text())))
    }

    /// What a change means to whoever looks through this filter.
    pub(super) fn event(&self, change: &Change) -> Option<Event> {
        if matches!(change, Change::Ttl { .. }) {
            return None;
        }
        let (map, old, new) = change.row()?;
        if map != self.map.id {
            return None;
        }
        let old = old.filter(|old| self.matches(old)).cloned();
        let row = new.filter(|new| self.matches(new)).cloned();
        let kind = match (&old, &row) {
            (None, None) => return None,
            (None, Some(_)) => Kind::Added,
            (Some(_), Some(_)) => Kind::Updated,
            (Some(_), None) => Kind::Removed,
        };
        Some(Event { kind, row, old })
    }
}
