//! Models: what the cluster knows of a trained model besides its bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::types::Digest;

/// The versions of a model and its movable names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub(super) versions: BTreeMap<u32, Arc<ModelVersion>>,
    pub(super) aliases: BTreeMap<String, u32>,
    /// Versions that were removed: a number is never reused.
    pub(super) retired: BTreeSet<u32>,
}

impl Model {
    /// Its versions by number.
    pub fn versions(&self) -> &BTreeMap<u32, Arc<ModelVersion>> {
        &self.versions
    }

    /// Its aliases and the versions they name.
    pub fn aliases(&self) -> &BTreeMap<String, u32> {
        &self.aliases
    }

    /// The number after the highest ever used.
    pub fn next_version(&self) -> u32 {
        let last = self.versions.keys().chain(&self.retired).max();
        last.map_or(1, |last| last.saturating_add(1))
    }
}

/// One immutable version of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The model's name.
    pub name: String,
    /// From 1; never reused.
    pub version: u32,
    /// Of the model's bytes.
    pub digest: Digest,
    /// The format of the bytes.
    pub kind: ModelKind,
    /// How many bytes.
    pub bytes: u64,
    /// What it takes, in the model's order.
    pub inputs: Vec<InputSignature>,
    /// What it gives, in the model's order.
    pub outputs: Vec<OutputSignature>,
}

/// The format of a model's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// ONNX protobuf.
    Onnx,
    /// XGBoost JSON or UBJ.
    Xgboost,
    /// LightGBM text.
    Lightgbm,
    /// Burn record.
    Burn,
}

/// One input of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSignature {
    /// The graph's name for it.
    pub name: String,
    /// The type of its elements.
    pub kind: NumberKind,
    /// Elements a row: what the features must add up to.
    pub width: usize,
    /// In tensor order. A feature fills one element, or as many as its vector column has.
    pub features: Vec<String>,
    /// What a null feature becomes.
    pub null: NullPolicy,
}

/// One output of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSignature {
    /// The graph's name for it.
    pub name: String,
    /// The type of its elements.
    pub kind: OutputKind,
    /// The name of each element of a row, in order: labels, or `0`, `1`, ..
    pub elements: Vec<String>,
}

/// The type of an input's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberKind {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// True or false.
    Bool,
}

/// The type of an output's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// True or false.
    Bool,
    /// Text: the label of a class.
    Str,
}

/// What a null feature becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NullPolicy {
    /// The write is refused.
    #[default]
    Reject,
    /// NaN: the model knows what a missing value is.
    Nan,
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelKind::Onnx => "onnx",
            ModelKind::Xgboost => "xgboost",
            ModelKind::Lightgbm => "lightgbm",
            ModelKind::Burn => "burn",
        })
    }
}

impl fmt::Display for NumberKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberKind::F32 => "f32",
            NumberKind::F64 => "f64",
            NumberKind::I64 => "i64",
            NumberKind::I32 => "i32",
            NumberKind::Bool => "bool",
        })
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutputKind::F32 => "f32",
            OutputKind::F64 => "f64",
            OutputKind::I64 => "i64",
            OutputKind::I32 => "i32",
            OutputKind::Bool => "bool",
            OutputKind::Str => "str",
        })
    }
}
