//! One column of a schema.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::types::SchemaId;

/// A named, typed column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, unique within the schema.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether null is a value of it.
    pub nullable: bool,
    /// The least value a client may write; only for numbers. NaN passes: whether it may be scored is the binding's
    /// decision.
    pub min: Option<f64>,
    /// The greatest value a client may write; only for numbers.
    pub max: Option<f64>,
    /// Whether it holds a score: nullable, null until scored, not writable by clients.
    pub is_score: bool,
    /// The schema that introduced it. Set by [`Schema`](super::Schema).
    pub(super) since: SchemaId,
}

impl Column {
    /// A column that must have a value.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Column {
            name: name.into(),
            kind,
            nullable: false,
            min: None,
            max: None,
            is_score: false,
            since: SchemaId::default(),
        }
    }

    /// A column that a binding fills.
    pub fn score(name: impl Into<String>, kind: Kind) -> Self {
        Column { is_score: true, nullable: true, ..Column::new(name, kind) }
    }

    /// Lets it be null.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Bounds what clients may write, ends included.
    #[must_use]
    pub fn range(mut self, min: impl Into<Option<f64>>, max: impl Into<Option<f64>>) -> Self {
        self.min = min.into();
        self.max = max.into();
        self
    }

    /// Whether the range admits `value`; NaN passes.
    pub fn admits(&self, value: f64) -> bool {
        !(self.min.is_some_and(|min| value < min) || self.max.is_some_and(|max| value > max))
    }
}
