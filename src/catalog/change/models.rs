//! Models and aliases.

use std::{collections::BTreeSet, sync::Arc};

use super::{Change, listing, room};
use crate::{
    catalog::{
        Binding, Catalogue, MAX_ALIASES, MAX_MODEL_VERSIONS, MAX_MODELS, Model, ModelVersion, Response,
        Target, binding::check_alias, check_name,
    },
    types::{Error, Result},
};

/// The most inputs or outputs of a model.
const MAX_PORTS: usize = 256;
/// The most features of a model's inputs, or elements of its outputs.
const MAX_ELEMENTS: usize = 65_536;
/// The longest name of an input, output, feature or element, in bytes.
const MAX_PORT_NAME_BYTES: usize = 256;

pub(super) fn add(catalogue: &mut Catalogue, version: &ModelVersion, alias: Option<&str>) -> Change {
    check_version(version)?;
    let mut model = match catalogue.models.get(&version.name) {
        Some(model) => Model::clone(model),
        None => {
            room("models", catalogue.models.len(), MAX_MODELS)?;
            Model::default()
        }
    };
    let added = add_version(&mut model, version)?;
    let moved = match alias {
        Some(alias) => point(&mut model, alias, version.version)? != Some(version.version),
        None => false,
    };
    if added || moved {
        catalogue.models.insert(version.name.clone(), Arc::new(model));
        follow(catalogue, &version.name, alias, version.version);
    }
    let changed = added || moved;
    Ok((Response::Model { version: version.version, changed }, changed))
}

fn add_version(model: &mut Model, version: &ModelVersion) -> Result<bool> {
    let shown = format!("version {} of the model `{}`", version.version, version.name);
    let hint = || format!("versions are never reused: deploy it as version {}", model.next_version());
    match model.versions.get(&version.version) {
        Some(present) if **present == *version => return Ok(false),
        Some(_) => return Err(Error::conflict(format!("{shown} is there and differs")).hint(hint())),
        None if model.retired.contains(&version.version) => {
            return Err(Error::conflict(format!("{shown} was removed")).hint(hint()));
        }
        None => room(
            &format!("versions of the model `{}`", version.name),
            model.versions.len() + model.retired.len(),
            MAX_MODEL_VERSIONS,
        )?,
    }
    model.versions.insert(version.version, Arc::new(version.clone()));
    Ok(true)
}

pub(super) fn set_alias(catalogue: &mut Catalogue, name: &str, alias: &str, version: u32) -> Change {
    catalogue.model_version(name, version)?;
    let mut model = Model::clone(catalogue.model(name)?);
    let previous = point(&mut model, alias, version)?;
    let changed = previous != Some(version);
    if changed {
        catalogue.models.insert(name.to_owned(), Arc::new(model));
        follow(catalogue, name, Some(alias), version);
    }
    Ok((Response::Alias { previous }, changed))
}

/// Lets an alias name a version; what it named before.
fn point(model: &mut Model, alias: &str, version: u32) -> Result<Option<u32>> {
    check_alias(alias)?;
    if !model.aliases.contains_key(alias) {
        room("aliases of the model", model.aliases.len(), MAX_ALIASES)?;
    }
    Ok(model.aliases.insert(alias.to_owned(), version))
}

/// Bindings by alias follow it.
fn follow(catalogue: &mut Catalogue, name: &str, alias: Option<&str>, version: u32) {
    let Some(alias) = alias else { return };
    for binding in catalogue.bindings.values_mut() {
        let reference = &binding.file.model;
        let follows =
            reference.name == name && matches!(&reference.target, Target::Alias(target) if target == alias);
        if follows && binding.model_version != version {
            *binding = Arc::new(Binding { model_version: version, ..Binding::clone(binding) });
        }
    }
}

pub(super) fn remove(catalogue: &mut Catalogue, name: &str, version: u32) -> Change {
    catalogue.model_version(name, version)?;
    let mut model = Model::clone(catalogue.model(name)?);
    let refuse = |by: String, hint: &'static str| {
        Err(Error::conflict(format!("version {version} of the model `{name}` is named by {by}")).hint(hint))
    };
    let aliases: Vec<&str> = model
        .aliases
        .iter()
        .filter(|(_, target)| **target == version)
        .map(|(alias, _)| alias.as_str())
        .collect();
    if !aliases.is_empty() {
        let by = format!("the alias {}", listing(aliases.into_iter()));
        return refuse(by, "move the alias first: `embergrid model alias`");
    }
    let uses = |binding: &&Arc<Binding>| binding.file.model.name == name && binding.model_version == version;
    let bindings: Vec<&str> =
        catalogue.bindings.values().filter(uses).map(|binding| binding.file.name.as_str()).collect();
    if !bindings.is_empty() {
        let by = format!("the binding {}", listing(bindings.into_iter()));
        return refuse(by, "delete the binding first: `embergrid binding delete NAME`");
    }
    model.versions.remove(&version);
    model.retired.insert(version);
    catalogue.models.insert(name.to_owned(), Arc::new(model));
    Ok((Response::ModelRemoved, true))
}

fn check_version(version: &ModelVersion) -> Result<()> {
    check_name("model", &version.name)?;
    if version.version == 0 {
        return Err(Error::invalid("a model's versions count from 1"));
    }
    check_ports("input", version.inputs.iter().map(|input| (input.name.as_str(), &input.features)))?;
    check_ports("output", version.outputs.iter().map(|output| (output.name.as_str(), &output.elements)))?;
    if let Some(input) = version.inputs.iter().find(|input| input.width > MAX_ELEMENTS || input.width == 0) {
        return Err(Error::invalid(format!("the input `{}` has {} elements a row", input.name, input.width))
            .hint(format!("a row has 1 to {MAX_ELEMENTS}")));
    }
    Ok(())
}

fn check_ports<'a>(what: &str, ports: impl Iterator<Item = (&'a str, &'a Vec<String>)>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let mut elements = 0;
    for (name, parts) in ports {
        if !seen.insert(name) {
            return Err(Error::invalid(format!("the model has two {what}s `{name}`")));
        }
        if name.len() > MAX_PORT_NAME_BYTES || parts.iter().any(|part| part.len() > MAX_PORT_NAME_BYTES) {
            return Err(Error::invalid(format!(
                "the {what} `{name:.64}` has a name of over {MAX_PORT_NAME_BYTES} bytes"
            )));
        }
        let mut distinct = BTreeSet::new();
        if let Some(twice) = parts.iter().find(|part| !distinct.insert(part.as_str())) {
            return Err(Error::invalid(format!("the {what} `{name}` names `{twice}` twice")));
        }
        elements += parts.len();
    }
    if seen.is_empty() || seen.len() > MAX_PORTS || elements > MAX_ELEMENTS {
        return Err(Error::invalid(format!(
            "the model has {} {what}s with {elements} named elements",
            seen.len()
        ))
        .hint(format!("it has 1 to {MAX_PORTS}, with up to {MAX_ELEMENTS}")));
    }
    Ok(())
}
