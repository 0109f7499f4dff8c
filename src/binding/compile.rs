//! Names into positions.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Compiled, ModelKey,
    compiled::{FeaturePlan, InputPlan, Source},
    outputs,
};
use crate::{
    catalog::{Binding, BindingFile, InputSignature, Map, ModelVersion, NullPolicy, NumberKind},
    row::{Kind, Schema},
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
    let inputs = model.inputs.iter().map(|input| plan_input(input, file, schema)).collect::<Result<_>>()?;
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

fn plan_input(input: &InputSignature, file: &BindingFile, schema: &Schema) -> Result<InputPlan> {
    let place = format!("input `{}`", input.name);
    if input.null == NullPolicy::Nan && !matches!(input.kind, NumberKind::F32 | NumberKind::F64) {
        return Err(Error::invalid(format!("{place}: null = \"nan\", but {} has no NaN", input.kind))
            .hint("let the manifest say null = \"reject\""));
    }
    let plan = |name: &String| plan_feature(name, file, schema);
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

fn plan_feature(name: &str, file: &BindingFile, schema: &Schema) -> Result<FeaturePlan> {
    let source = match file.features.get(name) {
        None => column(name, schema)?,
        Some(text) => {
            return Err(Error::invalid(format!(
                "feature `{name}`: the expression `{text}` is not understood"
            )));
        }
    };
    Ok(FeaturePlan { name: Arc::from(name), source })
}

/// The feature is the column of the same name.
fn column(name: &str, schema: &Schema) -> Result<Source> {
    let at = schema.require(name).map_err(|error| error.within(format_args!("feature `{name}`")))?;
    let column = &schema.columns()[at];
    if column.is_score {
        return Err(score_read(name, name));
    }
    match column.kind {
        Kind::Bool | Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64 | Kind::Timestamp => {
            Ok(Source::Column(at))
        }
        Kind::Vector(len) => Ok(Source::Vector { column: at, len: len as usize }),
        Kind::Str | Kind::Bytes => {
            Err(Error::invalid(format!("feature `{name}`: the column is {}, not a number", column.kind))
                .hint(format!("under [features] give `{name}` an expression that makes it a number")))
        }
    }
}

fn score_read(feature: &str, column: &str) -> Error {
    Error::invalid(format!(
        "feature `{feature}`: the column `{column}` is a score, which is null until scored"
    ))
    .hint("features are read from columns that clients write")
}

impl FeaturePlan {
    /// Elements a row.
    fn width(&self) -> usize {
        match self.source {
            Source::Column(_) => 1,
            Source::Vector { len, .. } => len,
        }
    }
}
