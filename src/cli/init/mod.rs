//! `embergrid init`: from a model and a file of rows to the files that a scored map needs.

mod features;
mod files;
mod scores;
mod table;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use self::{features::Features, files::Sketch, scores::Scores, table::Table};
use super::{context::Context, failure::Result, rows::unreadable};
use crate::{
    model::{Format, Model, Options},
    scoring::Signature,
    types::{Error, check_name},
};

/// Write the schema, manifest and binding for a model of your own and a CSV file of rows like those it was trained on.
///
/// Features are found by name where the model names them, else by order; what was guessed says so in the files.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid init churn.onnx --rows customers.csv --map customers --out customers"
)]
pub(super) struct Init {
    /// The model: an ONNX file, the safetensors file of a burn module, or what XGBoost or LightGBM saved.
    model: PathBuf,
    /// Rows under a header (CSV).
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// The map that will hold the rows.
    #[arg(long, value_name = "NAME")]
    map: String,
    /// The folder to write to; nothing in it is overwritten.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The column that is the key, where its name does not say so.
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result {
        check_name("map", &self.map)?;
        let bytes = std::fs::read(&self.model).map_err(|error| unreadable(&self.model, &error))?;
        let format = Format::of(&self.model);
        let model = Model::load(&bytes, format, &Options::default())
            .map_err(|error| Error::from(error).within(self.model.display()))?;
        let table = Table::read(&self.rows, &self.map, self.key.as_deref())?;
        let features = Features::find(&table, model.inputs())?;
        let name = self.model_name();
        let signature = Signature::of(&model, Some(&features.manifest(&name, format)))?;
        let scores = Scores::choose(&table, &signature.outputs)?;
        let sketch = Sketch {
            map: &self.map,
            model: &name,
            model_bytes: &bytes,
            format,
            rows: &self.rows,
            table: &table,
            features: &features,
            scores: &scores,
        };
        let written = files::write(&sketch, &self.out)?;
        let commands = self.commands(&sketch, &table);
        let mut text = String::new();
        for path in &written {
            let _ = writeln!(text, "wrote {}", path.display());
        }
        let _ = write!(text, "\nNext, with a node running (`embergrid node`):\n  {}", commands.join("\n  "));
        context.output.answer(&json!({ "files": written, "commands": commands }), text)?;
        if features.are_guessed() {
            context.output.note("The order of the features is a guess: see the comment in the manifest.");
        }
        Ok(())
    }

    /// The file's name, unless it says nothing.
    fn model_name(&self) -> String {
        let stem = self.model.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
        let name: String = stem.chars().map(plain).take(64).collect();
        let name = name.trim_matches('-');
        if name.is_empty() || name == "model" { self.map.clone() } else { name.to_owned() }
    }

    fn commands(&self, sketch: &Sketch<'_>, table: &Table) -> [String; 4] {
        let path = |path: &Path| quoted(&self.out.join(path).to_string_lossy());
        let (map, model) = (&self.map, &sketch.model);
        let rows = if table.key.is_made_up() {
            path(files::ROWS.as_ref())
        } else {
            quoted(&self.rows.to_string_lossy())
        };
        let mut load = format!("embergrid map load {map} {rows} --key {}", quoted(table.key.name()));
        if !table.ignored.is_empty() {
            let _ = write!(load, " --ignore-columns {}", quoted(&table.ignored.join(",")));
        }
        [
            format!("embergrid map create {map} --schema {}", path(&sketch.schema_path())),
            format!("embergrid model deploy {model} {} --alias champion", path(&sketch.version_path())),
            format!("embergrid binding apply {}", path(&sketch.binding_path())),
            load,
        ]
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,=+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
