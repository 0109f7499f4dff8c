//! Scores, as a write's answer brings them.

use std::sync::Arc;

use crate::{
    row::{Scalar, Schema},
    types::BindingId,
    wire::v1::{self, score_value::Value},
};

/// A binding: what writes a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// Its name.
    pub name: String,
    /// The map it scores.
    pub map: String,
    /// The model's name.
    pub model: String,
    /// The model's version in force.
    pub model_version: u32,
    /// As its file names the model: `name@alias` or `name@1`.
    pub reference: String,
    /// `sync` or `async`.
    pub mode: String,
    /// The score columns that it writes.
    pub columns: Vec<String>,
}

impl Binding {
    pub(super) fn new(wire: v1::BindingDescription) -> Self {
        Binding {
            id: BindingId(wire.id),
            name: wire.name,
            map: wire.map,
            model: wire.model_name,
            model_version: wire.model_version,
            reference: wire.model,
            mode: wire.mode,
            columns: wire.columns,
        }
    }

    /// Stands for one that has been deleted since.
    pub(super) fn deleted(id: u32, map: &str) -> Self {
        Binding::new(v1::BindingDescription {
            id,
            name: format!("#{id}"),
            map: map.to_string(),
            ..Default::default()
        })
    }
}

/// What one binding made of the row that was written.
#[derive(Clone, Debug)]
pub struct Score {
    /// The binding.
    pub binding: Arc<Binding>,
    /// The version of the model that computed it.
    pub model_version: u32,
    values: Vec<v1::ScoreValue>,
    schema: Arc<Schema>,
}

impl Score {
    pub(super) fn new(wire: v1::Score, binding: Arc<Binding>, schema: Arc<Schema>) -> Self {
        Score { binding, model_version: wire.model_version, values: wire.values, schema }
    }

    /// The score columns by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, Scalar<'_>)> {
        self.values.iter().filter_map(|value| {
            let column = self.schema.columns().get(value.column as usize)?;
            Some((column.name.as_str(), scalar(value.value.as_ref())))
        })
    }

    /// One score column; `None` if this binding does not write it.
    pub fn value(&self, column: &str) -> Option<Scalar<'_>> {
        self.values().find(|(name, _)| *name == column).map(|(_, value)| value)
    }
}

fn scalar(value: Option<&Value>) -> Scalar<'_> {
    match value {
        None => Scalar::Null,
        Some(Value::F32(value)) => Scalar::F32(*value),
        Some(Value::F64(value)) => Scalar::F64(*value),
        Some(Value::Int(value)) => Scalar::I64(*value),
        Some(Value::Bool(value)) => Scalar::Bool(*value),
        Some(Value::Str(value)) => Scalar::Str(value),
    }
}
