//! `embergrid model show FILE`: what a file holds, what it costs, and what would be refused.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    local::{Local, ModelFile},
    measure::measure,
    repeat::repeated,
};
use crate::{
    cli::{context::Context, failure::Result, table::Table},
    model::{self, Contents, Limits, Model, Options, Port, Summary},
};

/// Rows a call at which the cost is measured: one as it is written, and a batch.
const BATCHES: [usize; 2] = [1, 64];

/// What a row costs at one batch size.
#[derive(Debug, Serialize)]
struct Cost {
    batch: usize,
    us_per_row: f64,
}

/// What is known of a file.
struct Shown {
    path: String,
    format: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    summary: Summary,
    costs: Vec<Cost>,
    /// What the engine does not compute: each operator, with the reason.
    refused: Vec<String>,
}

/// Shows a model file, or the one of a version folder.
pub(super) fn show(path: &Path, context: &Context) -> Result {
    let file = ModelFile::read(path)?;
    let limits = Limits::default();
    let contents = Contents::read(&file.bytes, file.format, &limits).map_err(|error| file.fault(error))?;
    let mut shown = Shown {
        path: file.path.display().to_string(),
        format: file.format.to_string(),
        inputs: contents.inputs.iter().map(port).collect(),
        outputs: contents.outputs,
        summary: contents.summary,
        costs: Vec::new(),
        refused: Vec::new(),
    };
    match Model::load(&file.bytes, file.format, &Options::default()) {
        Ok(model) => {
            shown.outputs = model.outputs().iter().map(port).collect();
            shown.summary = model.summary().clone();
            shown.costs = costs(&Local::of(file, model), &limits)?;
        }
        Err(model::Error::Unsupported { reasons, .. }) => shown.refused = reasons,
        Err(error) => return Err(file.fault(error).into()),
    }
    Ok(context.output.answer(&shown.object(), shown.text())?)
}

fn port(port: &Port) -> String {
    let labels = port.labels.as_ref().map(|labels| format!(": {}", labels.names().join(", ")));
    format!("{} {}{}", port.name, port.text(), labels.unwrap_or_default())
}

fn costs(local: &Local, limits: &Limits) -> Result<Vec<Cost>> {
    let cost = |batch| {
        let rows = repeated(local, batch, limits)?;
        let us_per_row = measure(&local.model, &rows)? / batch as f64;
        Ok(Cost { batch, us_per_row: (us_per_row * 1e3).round() / 1e3 })
    };
    BATCHES.into_iter().map(cost).collect()
}

impl Shown {
    fn object(&self) -> Value {
        let operators: Map<String, Value> = self
            .summary
            .operators
            .iter()
            .map(|(operator, count)| (operator.clone(), (*count).into()))
            .collect();
        json!({
            "file": self.path,
            "format": self.format,
            "bytes": self.summary.bytes,
            "parameters": self.summary.parameters,
            "inputs": self.inputs,
            "features": self.summary.features,
            "outputs": self.outputs,
            "operators": operators,
            "steps": self.summary.steps,
            "cost": self.costs,
            "refused": self.refused,
        })
    }

    fn text(&self) -> String {
        let Summary { bytes, parameters, steps, operators, features } = &self.summary;
        let mut lines =
            vec![format!("{}  {}, {bytes} bytes, {parameters} parameters", self.path, self.format)];
        lines.extend(self.inputs.iter().map(|input| format!("input   {input}")));
        if !features.is_empty() {
            lines.push(format!("        columns {}", features.join(", ")));
        }
        lines.extend(self.outputs.iter().map(|output| format!("output  {output}")));
        let mut table = Table::new(["OPERATOR", "TIMES"]);
        for (operator, count) in operators {
            table.row([operator.clone(), count.to_string()]);
        }
        lines.push(table.to_string());
        if self.refused.is_empty() {
            lines.push(format!("executed as {}", steps.join(", ")));
        } else {
            lines.push("this model is refused, for it cannot be computed exactly:".to_owned());
            lines.extend(self.refused.iter().map(|reason| format!("  {reason}")));
        }
        let cost = |cost: &Cost| format!("{} us a row in batches of {}", cost.us_per_row, cost.batch);
        lines.extend(self.costs.iter().map(cost));
        lines.join("\n")
    }
}
