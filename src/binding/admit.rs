//! Whether a command leaves the cluster with bindings that work.

use std::sync::Arc;

use super::{Compiled, compile};
use crate::{
    catalog::{Catalogue, Command, Response},
    types::Result,
};

/// Compiles every binding of a catalogue, by name.
pub fn compile_all(catalogue: &Catalogue) -> Result<Vec<Arc<Compiled>>> {
    catalogue.bindings().map(|binding| compile_one(catalogue, &binding.file.name).map(Arc::new)).collect()
}

fn compile_one(catalogue: &Catalogue, name: &str) -> Result<Compiled> {
    let binding = catalogue.binding(name)?;
    let map = catalogue.map(&binding.file.map)?;
    let model = catalogue.model_version(&binding.file.model.name, binding.model_version)?;
    compile(binding, map, model)
}

/// Whether a command may be proposed: what it would answer, or why it is refused.
///
/// The catalogue checks names alone; this also compiles the bindings that the command would touch. Ask it before
/// proposing, with no other proposal in between.
pub fn admit(catalogue: &Catalogue, command: &Command) -> Result<Response> {
    let mut after = catalogue.clone();
    let response = after.apply(command)?;
    for binding in after.bindings() {
        let name = &binding.file.name;
        let unchanged = catalogue.binding(name).is_ok_and(|before| before == binding)
            && catalogue.map(&binding.file.map)? == after.map(&binding.file.map)?;
        if !unchanged {
            compile_one(&after, name)?;
        }
    }
    Ok(response)
}
