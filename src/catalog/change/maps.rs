//! Maps.

use std::sync::Arc;

use super::{Change, listing, room, take};
use crate::{
    catalog::{Catalogue, MAX_MAPS, Map, MapFile, MapKind, Response, check_name},
    row::{Column, MAX_NAME_BYTES, Schema},
    types::{Error, KeyKind, MapId, Result, SchemaId},
};

pub(super) fn create(catalogue: &mut Catalogue, file: &MapFile) -> Change {
    check_name("map", &file.map)?;
    match catalogue.map_ids.get(&file.map).and_then(|id| catalogue.maps.get(id)).cloned() {
        Some(map) => evolve(catalogue, &map, file),
        None => add(catalogue, file),
    }
}

fn add(catalogue: &mut Catalogue, file: &MapFile) -> Change {
    room("maps", catalogue.maps.len(), MAX_MAPS)?;
    if file.key_name.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_NAME_BYTES) {
        return Err(Error::invalid(format!("the key's name has 1 to {MAX_NAME_BYTES} bytes")));
    }
    let kind = match &file.schema {
        None => MapKind::Plain,
        Some(columns) => {
            let id = SchemaId(catalogue.next.schema);
            let schema = columns.clone().with_id(id)?;
            check_key_name(file.key_name.as_deref(), &schema)?;
            take(&mut catalogue.next.schema, "schema")?;
            MapKind::Feature { schemas: vec![Arc::new(schema)] }
        }
    };
    let id = MapId(take(&mut catalogue.next.map, "map")?);
    let map =
        Map { id, name: file.map.clone(), key_name: file.key_name.clone(), key_kind: file.key_kind, kind };
    let schema = map.schema().map(|schema| schema.id());
    catalogue.map_ids.insert(map.name.clone(), id);
    catalogue.maps.insert(id, Arc::new(map));
    Ok((Response::Map { id, schema, changed: true }, true))
}

/// A column named like the key would make files ambiguous.
fn check_key_name(key: Option<&str>, schema: &Schema) -> Result<()> {
    match key {
        Some(key) if schema.column(key).is_some() => {
            Err(Error::invalid(format!("`{key}` names the key and a column")).hint("rename one of them"))
        }
        _ => Ok(()),
    }
}

/// The map is there: asked for as it stands, with more columns, or otherwise.
fn evolve(catalogue: &mut Catalogue, map: &Map, file: &MapFile) -> Change {
    let place = format!("map `{}`", map.name);
    check_same_key(map, file).map_err(|error| error.within(&place))?;
    let (schemas, asked) = match (&map.kind, &file.schema) {
        (MapKind::Plain, None) => {
            return Ok((Response::Map { id: map.id, schema: None, changed: false }, false));
        }
        (MapKind::Feature { schemas }, Some(asked)) => (schemas, asked),
        (MapKind::Plain, Some(_)) => {
            return Err(Error::conflict(format!("{place} is plain: it has no schema")));
        }
        (MapKind::Feature { .. }, None) => {
            return Err(Error::conflict(format!("{place} has a schema: it is not plain")));
        }
    };
    let Some(present) = map.schema() else {
        return Err(Error::internal(format!("{place} has no schema")));
    };
    let added = difference(present, asked).map_err(|error| error.within(&place))?;
    if added == 0 {
        return Ok((Response::Map { id: map.id, schema: Some(present.id()), changed: false }, false));
    }
    let id = SchemaId(catalogue.next.schema);
    let schema = present.evolve(id, asked.columns().to_vec()).map_err(|error| error.within(&place))?;
    check_key_name(map.key_name.as_deref(), &schema)?;
    take(&mut catalogue.next.schema, "schema")?;
    let mut schemas = schemas.clone();
    schemas.push(Arc::new(schema));
    let evolved = Map { kind: MapKind::Feature { schemas }, ..map.clone() };
    catalogue.maps.insert(map.id, Arc::new(evolved));
    Ok((Response::Map { id: map.id, schema: Some(id), changed: true }, true))
}

fn check_same_key(map: &Map, file: &MapFile) -> Result<()> {
    let shown = |name: &Option<String>, kind: Option<KeyKind>| {
        let name = name.as_deref().unwrap_or("unnamed");
        match kind {
            None => format!("{name}, of any type"),
            Some(kind) => format!("{name}, of type {}", kind_name(kind)),
        }
    };
    if (&map.key_name, map.key_kind) == (&file.key_name, file.key_kind) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the key is `{}`, not `{}`",
        shown(&map.key_name, map.key_kind),
        shown(&file.key_name, file.key_kind)
    )))
}

fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::I64 => "i64",
        KeyKind::Str => "str",
        KeyKind::Bytes => "bytes",
    }
}

/// How many columns the file adds; a conflict that names the column if it is not only that. Order means nothing:
/// columns go by name.
fn difference(present: &Schema, asked: &Schema) -> Result<usize> {
    const HINT: &str = "a map takes new nullable columns and nothing else; drop it to define it anew";
    for old in present.columns() {
        let Some(new) = asked.named(&old.name) else {
            return Err(Error::conflict(format!("the column `{}` is missing", old.name)).hint(HINT));
        };
        if let Some(what) = changed(old, new) {
            return Err(Error::conflict(format!("the column `{}` {what}", old.name)).hint(HINT));
        }
    }
    let added = || asked.columns().iter().filter(|column| present.column(&column.name).is_none());
    match added().find(|column| !column.nullable) {
        Some(column) => Err(Error::conflict(format!(
            "the new column `{}` is not nullable: stored rows lack it",
            column.name
        ))
        .hint("declare it with `nullable = true`")),
        None => Ok(added().count()),
    }
}

/// What differs between two columns of one name.
fn changed(old: &Column, new: &Column) -> Option<String> {
    if old.kind != new.kind {
        return Some(format!("is {}, not {}", old.kind, new.kind));
    }
    if old.is_score != new.is_score {
        return Some(if old.is_score { "is a score".into() } else { "is not a score".into() });
    }
    if old.nullable != new.nullable {
        return Some(if old.nullable { "is nullable".into() } else { "is not nullable".into() });
    }
    if (old.min, old.max) != (new.min, new.max) {
        let bound = |bound: Option<f64>| bound.map_or("none".to_owned(), |bound| bound.to_string());
        return Some(format!("has min {} and max {}", bound(old.min), bound(old.max)));
    }
    None
}

pub(super) fn drop(catalogue: &mut Catalogue, name: &str) -> Change {
    let id = catalogue.map(name)?.id;
    let bindings: Vec<&str> = catalogue.bindings_of(id).map(|binding| binding.file.name.as_str()).collect();
    if !bindings.is_empty() {
        return Err(Error::conflict(format!(
            "the map `{name}` is scored by {}",
            listing(bindings.iter().copied())
        ))
        .hint("delete the bindings first: `embergrid binding delete NAME`"));
    }
    catalogue.map_ids.remove(name);
    catalogue.maps.remove(&id);
    Ok((Response::MapDropped { id }, true))
}
