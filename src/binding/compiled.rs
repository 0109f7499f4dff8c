//! What compiling gives.

use std::sync::Arc;

use crate::{
    catalog::{Mode, Nan, NullPolicy, NumberKind, OnDeadline},
    expr::Expr,
    row::Kind,
    types::{BindingId, Digest, MapId, SchemaId},
};

/// A binding with every name resolved.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The binding's id.
    pub id: BindingId,
    /// The binding's name.
    pub name: Arc<str>,
    /// The map it scores.
    pub map: MapId,
    /// The schema it was compiled for: columns are counted in it.
    pub schema: SchemaId,
    /// The version of the model that scores.
    pub model: ModelKey,
    /// Whether a write waits for its score.
    pub mode: Mode,
    /// How long a write waits at most, in microseconds.
    pub deadline_us: u64,
    /// What happens then.
    pub on_deadline: OnDeadline,
    /// What happens to NaN in a feature.
    pub nan: Nan,
    /// What is stored where.
    pub outputs: Vec<OutputPlan>,
    /// How each input of the model is filled, in the model's order.
    pub(super) inputs: Vec<InputPlan>,
}

/// Names one version of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelKey {
    /// The model's name.
    pub name: Arc<str>,
    /// The version's number.
    pub version: u32,
    /// Of the model's bytes.
    pub digest: Digest,
}

/// One element of the model's outputs, and the score column that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputPlan {
    /// The score column, counted in the schema that the binding was compiled for.
    pub column: usize,
    /// What the column holds.
    pub kind: Kind,
    /// Which of the model's outputs.
    pub output: usize,
    /// Which element of a row of that output.
    pub element: usize,
}

/// How one input of the model is filled.
#[derive(Clone, Debug)]
pub(super) struct InputPlan {
    pub(super) kind: NumberKind,
    /// Elements a row.
    pub(super) width: usize,
    pub(super) null: NullPolicy,
    /// In tensor order.
    pub(super) features: Vec<FeaturePlan>,
}

/// Where one feature comes from.
#[derive(Clone, Debug)]
pub(super) struct FeaturePlan {
    pub(super) name: Arc<str>,
    pub(super) source: Source,
}

/// What fills a feature.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A column of numbers or bools: one element.
    Column(usize),
    /// A vector column: all its elements.
    Vector { column: usize, len: usize },
    /// An expression over the row and its key: one element.
    Expression(Arc<Expr>),
}

impl Compiled {
    /// How many inputs the model takes.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }
}
