//! Names into positions.

use std::collections::BTreeSet;

use super::{
    Compiled, ModelKey,
    compiled::{FeaturePlan, InputPlan},
    outputs, sources,
};
use crate::{
    catalog::{Binding, BindingFile, InputSignature, Map, ModelVersion, NullPolicy, NumberKind},
    row::Schema,
    types::{Error, Result, nearest},
};

/// Resolves every name of a binding against its map and model.
///
/// Refuses names that are not there, with the nearest; features that do not add up to what an input takes; types that
/// do not fit.
pub fn compile(binding: &Binding, map: &Map, model: &ModelVersion) -> Result<Compiled> {
    compile_binding(binding, map, model)
        .map_err(|error| error.within(format_args!("binding `{}`", binding.file.name)))
}

fn compile_binding(binding: &Binding, map: &Map, model: &ModelVersion) -> Result<Compiled> {
    let file = &binding.file;
    let schema = map.schema().ok_or_else(|| {
        Error::invalid(format!("the map `{}` is plain: it has no columns to score", map.name))
    })?;
    check_features(file, model)?;
    let inputs =
        model.inputs.iter().map(|input| plan_input(input, file, map, schema)).collect::<Result<_>>()?;
    Ok(Compiled {
        id: binding.id,
        name: file.name.as_str().into(),
        map: map.id,
        schema: schema.id(),
        model: ModelKey { name: model.name.as_str().into(), version: model.version, digest: model.digest },
        mode: file.mode,
        deadline_us: file.deadline_ms.saturating_mul(1000),
        on_deadline: file.on_deadline,
        nan: file.nan,
        outputs: outputs::plan(file, schema, model)?,
        inputs,
    })
}

/// What is listed under `[features]` must be features of the model.
fn check_features(file: &BindingFile, model: &ModelVersion) -> Result<()> {
    let known: BTreeSet<&str> =
        model.inputs.iter().flat_map(|input| &input.features).map(String::as_str).collect();
    let Some(stranger) = file.features.keys().find(|name| !known.contains(name.as_str())) else {
        return Ok(());
    };
    let error = Error::invalid(format!("[features]: the model `{}` has no feature `{stranger}`", model.name));
    Err(match nearest(stranger, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    })
}

fn plan_input(input: &InputSignature, file: &BindingFile, map: &Map, schema: &Schema) -> Result<InputPlan> {
    let place = format!("input `{}`", input.name);
    if input.null == NullPolicy::Nan && !matches!(input.kind, NumberKind::F32 | NumberKind::F64) {
        return Err(Error::invalid(format!("{place}: null = \"nan\", but {} has no NaN", input.kind))
            .hint("let the manifest say null = \"reject\""));
    }
    let plan = |name: &String| sources::plan(name, file, map, schema);
    let features: Vec<FeaturePlan> =
        input.features.iter().map(plan).collect::<Result<_>>().map_err(|error| error.within(&place))?;
    let given: usize = features.iter().map(FeaturePlan::width).sum();
    if given != input.width {
        return Err(Error::invalid(format!(
            "{place} takes {} elements a row, its {} features give {given}",
            input.width,
            features.len()
        ))
        .hint("a number gives one element, a vector column as many as it has"));
    }
    Ok(InputPlan { kind: input.kind, width: input.width, null: input.null, features })
}
