//! Bindings. That a binding fits its map and model is checked by compiling it, before it is proposed; here only
//! names and claims are.

use std::sync::Arc;

use super::{Change, jobs, listing, take};
use crate::{
    catalog::{Binding, BindingFile, Catalogue, MAX_BINDINGS_OF_A_MAP, Map, Response},
    types::{BindingId, Error, Result},
};

pub(super) fn apply(catalogue: &mut Catalogue, file: &BindingFile) -> Change {
    file.check()?;
    let place = format!("binding `{}`", file.name);
    let map = catalogue.map(&file.map).map_err(|error| error.within(&place))?;
    let version = catalogue.resolve(&file.model).map_err(|error| error.within(&place))?;
    if let Some(present) = catalogue.bindings.get(&file.name)
        && present.file == *file
        && present.map == map.id
    {
        return Ok((Response::Binding { id: present.id, changed: false }, false));
    }
    check_outputs(map, file).map_err(|error| error.within(&place))?;
    check_claims(catalogue, map, file).map_err(|error| error.within(&place))?;
    let (map, model_version) = (map.id, version.version);
    let id = BindingId(take(&mut catalogue.next.binding, "binding")?);
    let binding = Binding { id, file: file.clone(), map, model_version };
    let before = catalogue.bindings.insert(file.name.clone(), Arc::new(binding));
    if let Some(before) = before {
        jobs::fail_of(catalogue, before.id, "the binding was defined anew");
    }
    Ok((Response::Binding { id, changed: true }, true))
}

/// What a binding writes are score columns of the map.
fn check_outputs(map: &Map, file: &BindingFile) -> Result<()> {
    let schema = map.schema().ok_or_else(|| {
        Error::invalid(format!("the map `{}` is plain: it has no columns to score", map.name))
            .hint("create the map with a schema")
    })?;
    for column in file.outputs.keys() {
        if !schema.columns()[schema.require(column)?].is_score {
            let scores: Vec<_> = schema.columns().iter().filter(|column| column.is_score).collect();
            return Err(Error::invalid(format!("the column `{column}` is not a score")).hint(
                match scores[..] {
                    [] => format!("declare it under `scores` in the schema of `{}`", map.name),
                    _ => {
                        format!("the scores are {}", listing(scores.iter().map(|score| score.name.as_str())))
                    }
                },
            ));
        }
    }
    Ok(())
}

/// A score column is written by one binding.
fn check_claims(catalogue: &Catalogue, map: &Map, file: &BindingFile) -> Result<()> {
    let others = || catalogue.bindings_of(map.id).filter(|other| other.file.name != file.name);
    for other in others() {
        if let Some(column) = file.outputs.keys().find(|column| other.file.outputs.contains_key(*column)) {
            return Err(Error::conflict(format!(
                "the score column `{column}` is written by the binding `{}`",
                other.file.name
            ))
            .hint(
                "a score column belongs to one binding: delete that one, or declare another score column",
            ));
        }
    }
    match others().count() {
        count if count < MAX_BINDINGS_OF_A_MAP => Ok(()),
        count => {
            Err(Error::conflict(format!("the map `{}` has {count} bindings already, the limit", map.name)))
        }
    }
}

pub(super) fn delete(catalogue: &mut Catalogue, name: &str) -> Change {
    let id = catalogue.binding(name)?.id;
    catalogue.bindings.remove(name);
    jobs::fail_of(catalogue, id, "the binding was deleted");
    Ok((Response::BindingDeleted { id }, true))
}
