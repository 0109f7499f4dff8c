//! `embergrid model show`

use std::path::Path;

use clap::Args;

use serde_json::{Value, json};

use crate::{
    cli::{context::Context, failure::Result},
    wire::v1::{InputDescription, ModelDescription, OutputDescription, VersionDescription},
};

/// Show a deployed model's versions, aliases, inputs and outputs, or what a model file holds.
///
/// Of a file: its inputs, outputs, operators, parameters and size, what a row costs on this machine, and what would be refused when it is
/// deployed, and why.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model show models/payments/1/model.onnx")]
pub(super) struct Show {
    /// The name of a deployed model, as `breast-cancer`, or a model file or version folder: what has a `/` or a `.` in it.
    #[arg(value_name = "NAME|FILE")]
    model: String,
}

impl Show {
    /// The file, if it names one: no model's name has such signs in it.
    pub(super) fn file(&self) -> Option<&Path> {
        self.model.contains(['/', '\\', '.']).then(|| Path::new(&self.model))
    }

    pub(super) async fn run(self, context: &Context) -> Result {
        let model = context.connect().await?.model(&self.model).await?;
        let object = json!({
            "name": model.name,
            "aliases": model.aliases,
            "versions": model.versions.iter().map(version).collect::<Value>(),
        });
        Ok(context.output.answer(&object, text(&model))?)
    }
}

fn version(version: &VersionDescription) -> Value {
    let input = |input: &InputDescription| json!({ "name": input.name, "type": input.r#type, "features": input.features, "null": input.null });
    let output = |output: &OutputDescription| json!({ "name": output.name, "type": output.r#type, "elements": output.elements });
    json!({
        "version": version.version,
        "digest": version.digest,
        "kind": version.kind,
        "bytes": version.bytes,
        "inputs": version.inputs.iter().map(input).collect::<Value>(),
        "outputs": version.outputs.iter().map(output).collect::<Value>(),
    })
}

fn text(model: &ModelDescription) -> String {
    let mut lines = vec![format!("{}  {}", model.name, super::aliases(model).join(", "))];
    for version in &model.versions {
        let digest = version.digest.get(..12).unwrap_or(&version.digest);
        lines.push(format!(
            "version {}  {}, {} bytes, {digest}",
            version.version, version.kind, version.bytes
        ));
        for input in &version.inputs {
            lines.push(format!("  input  {} {}: {}", input.name, input.r#type, input.features.join(", ")));
        }
        for output in &version.outputs {
            lines.push(format!("  output {} {}: {}", output.name, output.r#type, output.elements.join(", ")));
        }
    }
    lines.join("\n")
}
