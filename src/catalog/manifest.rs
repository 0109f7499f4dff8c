//! Model manifests: the file beside a model.

use serde::{Deserialize, Serialize};

use super::{ModelKind, NullPolicy, NumberKind, check_name};
use crate::types::{Error, Result, read_toml};

/// The one format of manifests so far.
const FORMAT: u32 = 1;

/// What comes with a model file: how its inputs are fed and what its outputs are called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The manifest's format: 1.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// Equals the folder; never reused.
    pub version: u32,
    /// The model file, beside the manifest.
    pub file: String,
    /// The model file's format.
    pub kind: ModelKind,
    /// How the graph's inputs are fed.
    #[serde(default)]
    pub inputs: Vec<InputFile>,
    /// What the elements of the graph's outputs are called.
    #[serde(default)]
    pub outputs: Vec<OutputFile>,
    /// Samples that the deployed model must reproduce.
    #[serde(default)]
    pub golden: Option<GoldenFile>,
    /// Where the model comes from.
    #[serde(default)]
    pub training: Option<TrainingFile>,
}

/// How an input of the graph is fed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// The graph's name for it.
    pub name: String,
    /// The type of its elements.
    #[serde(rename = "type")]
    pub kind: NumberKind,
    /// In tensor order.
    pub features: Vec<String>,
    /// What a null feature becomes.
    #[serde(default)]
    pub null: NullPolicy,
}

/// What the elements of an output are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// The graph's name for it.
    pub name: String,
    /// In class order; `0`, `1`, .. if none are given.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// Samples in the ONNX test layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenFile {
    /// Folders beside the manifest.
    pub dirs: Vec<String>,
    /// Relative tolerance.
    #[serde(default = "default_rtol")]
    pub rtol: f64,
    /// Absolute tolerance.
    #[serde(default = "default_atol")]
    pub atol: f64,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingFile {
    /// The library and its version.
    #[serde(default)]
    pub library: Option<String>,
    /// The script that trained it.
    #[serde(default)]
    pub script: Option<String>,
}

fn default_rtol() -> f64 {
    1e-3
}

fn default_atol() -> f64 {
    1e-5
}

impl Manifest {
    /// Reads a manifest; `place` names it in errors.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let manifest: Manifest = read_toml(place, text)?;
        manifest.check().map_err(|error| error.within(place))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        check_format(self.format, FORMAT)?;
        check_name("model", &self.name)?;
        if self.version == 0 {
            return Err(Error::invalid("version = 0: versions count from 1"));
        }
        check_beside("file", &self.file)?;
        let Some(golden) = &self.golden else { return Ok(()) };
        golden.dirs.iter().try_for_each(|dir| check_beside("a golden sample", dir))?;
        let fits = |tolerance: f64| tolerance.is_finite() && tolerance >= 0.0;
        if !fits(golden.rtol) || !fits(golden.atol) {
            return Err(Error::invalid("rtol and atol are finite and not negative"));
        }
        Ok(())
    }
}

/// Refuses a path that leaves the manifest's folder.
fn check_beside(what: &str, path: &str) -> Result<()> {
    let inside = !path.is_empty()
        && path.len() <= 255
        && !path.contains(['\\', ':', '\0'])
        && path.split('/').all(|part| !part.is_empty() && part != "..");
    if inside {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}` is not a path of {what}", path.escape_debug()))
        .hint("paths are relative to the manifest's folder and stay inside it"))
}

/// Refuses a file of another format.
pub(super) fn check_format(format: u32, known: u32) -> Result<()> {
    if format == known {
        return Ok(());
    }
    Err(Error::invalid(format!("format = {format} is not known"))
        .hint(format!("this release reads format = {known}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
format = 1
name = "breast-cancer"
version = 1
file = "model.onnx"
kind = "onnx"
[[inputs]]
name = "X"
type = "f32"
features = ["mean_radius", "mean_texture"]
null = "nan"
[[outputs]]
name = "probabilities"
labels = ["malignant", "benign"]
[golden]
dirs = ["test_data_set_0"]
rtol = 1e-5
[training]
library = "scikit-learn==1.7"
"#;

    #[test]
    fn reads_a_file() {
        let manifest = Manifest::parse("m.toml", FILE).unwrap();
        assert_eq!(
            manifest.inputs,
            [InputFile {
                name: "X".into(),
                kind: NumberKind::F32,
                features: vec!["mean_radius".into(), "mean_texture".into()],
                null: NullPolicy::Nan
            }]
        );
        assert_eq!(manifest.outputs[0].labels, ["malignant", "benign"]);
        assert_eq!(
            manifest.golden,
            Some(GoldenFile { dirs: vec!["test_data_set_0".into()], rtol: 1e-5, atol: 1e-5 })
        );
        assert_eq!((manifest.kind, manifest.version), (ModelKind::Onnx, 1));
    }

    #[test]
    fn refuses_unknown_keys_and_paths_that_leave_the_folder() {
        let refusal = |from: &str, to: &str| {
            Manifest::parse("m.toml", &FILE.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("labels =", "label ="),
            "m.toml:14: there is no key `label` (did you mean `labels`?)"
        );
        assert_eq!(
            refusal("\"f32\"", "\"float\""),
            "m.toml:9: there is no choice `float` (here can stand `f32`, `f64`, `i64`, `i32`, `bool`)"
        );
        for path in ["../model.onnx", "/model.onnx", "", "a//b", "c:\\x"] {
            let text = FILE.replace("model.onnx", &path.replace('\\', "\\\\"));
            assert!(
                Manifest::parse("m.toml", &text).unwrap_err().message.contains("is not a path"),
                "{path}"
            );
        }
        assert_eq!(refusal("version = 1", "version = 0"), "m.toml: version = 0: versions count from 1");
    }
}
