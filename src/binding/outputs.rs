//! Output elements by name.

use std::collections::BTreeMap;

use super::OutputPlan;
use crate::{
    catalog::{BindingFile, ModelVersion, OutputKind, OutputSignature},
    row::{Kind, Schema},
    types::{Error, Result, nearest},
};

/// Which element of the model's outputs each score column takes.
pub(super) fn plan(file: &BindingFile, schema: &Schema, model: &ModelVersion) -> Result<Vec<OutputPlan>> {
    file.outputs.iter().map(|(column, wanted)| plan_one(column, wanted, schema, model)).collect()
}

fn plan_one(column: &str, wanted: &str, schema: &Schema, model: &ModelVersion) -> Result<OutputPlan> {
    let at = schema.require(column).map_err(|error| error.within("[outputs]"))?;
    let target = &schema.columns()[at];
    if !target.is_score {
        return Err(Error::invalid(format!("the column `{column}` is not a score"))
            .hint("declare it under `scores` in the map's schema"));
    }
    let (output, element) = find(wanted, model).ok_or_else(|| unknown(column, wanted, model))?;
    let kind = model.outputs[output].kind;
    if !fits(kind, target.kind) {
        return Err(Error::invalid(format!(
            "the score column `{column}` is {}, `{wanted}` is {kind}",
            target.kind
        ))
        .hint(format!("declare the column as {kind}")));
    }
    Ok(OutputPlan { column: at, kind: target.kind, output, element })
}

/// `output.label`, `output[index]`, or `output` alone where it has one element.
fn find(wanted: &str, model: &ModelVersion) -> Option<(usize, usize)> {
    // An output's name may hold dots and brackets itself, so it is not searched for them.
    model.outputs.iter().enumerate().find_map(|(at, output)| {
        let rest = wanted.strip_prefix(output.name.as_str())?;
        element(rest, output).map(|element| (at, element))
    })
}

fn element(rest: &str, output: &OutputSignature) -> Option<usize> {
    if rest.is_empty() {
        return (output.elements.len() == 1).then_some(0);
    }
    if let Some(label) = rest.strip_prefix('.') {
        return output.elements.iter().position(|element| element == label);
    }
    let index: usize = rest.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    (index < output.elements.len()).then_some(index)
}

fn fits(output: OutputKind, column: Kind) -> bool {
    match output {
        OutputKind::F32 | OutputKind::F64 => matches!(column, Kind::F32 | Kind::F64),
        OutputKind::I32 => matches!(column, Kind::I32 | Kind::I64 | Kind::F64),
        OutputKind::I64 => column == Kind::I64,
        OutputKind::Bool => column == Kind::Bool,
        OutputKind::Str => column == Kind::Str,
    }
}

fn unknown(column: &str, wanted: &str, model: &ModelVersion) -> Error {
    const SHOWN: usize = 12;
    let place = format!("[outputs] {column}");
    let shown = wanted.escape_debug();
    let of_output = model.outputs.iter().filter(|output| wanted.starts_with(output.name.as_str()));
    let Some(output) = of_output.max_by_key(|output| output.name.len()) else {
        let names: BTreeMap<&str, ()> =
            model.outputs.iter().map(|output| (output.name.as_str(), ())).collect();
        let head = wanted.split(['.', '[']).next().unwrap_or(wanted);
        let error =
            Error::invalid(format!("the model `{}` has no output `{shown}`", model.name)).within(place);
        return match nearest(head, names.keys().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its outputs are {}", listed(names.keys().copied(), SHOWN))),
        };
    };
    let elements = || output.elements.iter().map(String::as_str);
    let rest = wanted[output.name.len()..].trim_start_matches('.');
    let error =
        Error::invalid(format!("the output `{}` has no element `{shown}`", output.name)).within(place);
    match nearest(rest, elements()) {
        Some(near) => error.hint(format!("did you mean `{}.{near}`?", output.name)),
        None => error.hint(format!("its elements are {}", listed(elements(), SHOWN))),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone, most: usize) -> String {
    let shown: Vec<String> = names.clone().take(most).map(|name| format!("`{name}`")).collect();
    match names.count().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
