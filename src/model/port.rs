//! What a model takes and gives: named, typed tensors.

use std::fmt;

use super::tensor::DType;

/// One dimension of a declared shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// Always this size.
    Fixed(usize),
    /// Any size; the same wherever the name recurs. The batch is usually such a one.
    Named(String),
    /// Any size.
    Unknown,
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(size) => write!(f, "{size}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Unknown => f.write_str("?"),
        }
    }
}

/// The names of a classifier's classes, in the order of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Numbered classes.
    Ints(Vec<i64>),
    /// Named classes.
    Strings(Vec<String>),
}

impl Labels {
    /// Number of classes.
    pub fn len(&self) -> usize {
        match self {
            Labels::Ints(labels) => labels.len(),
            Labels::Strings(labels) => labels.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels as text.
    pub fn names(&self) -> Vec<String> {
        match self {
            Labels::Ints(labels) => labels.iter().map(i64::to_string).collect(),
            Labels::Strings(labels) => labels.clone(),
        }
    }
}

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The graph's name for it.
    pub name: String,
    /// Type of its elements.
    pub dtype: DType,
    /// Declared shape. Of outputs it is informative only: exporters often declare it wrong.
    pub shape: Vec<Dim>,
    /// Of an output with one column a class: the classes, in column order.
    pub labels: Option<Labels>,
}

impl Port {
    /// The shape as text, such as `[N, 30]`.
    pub fn shape_text(&self) -> String {
        let dims: Vec<String> = self.shape.iter().map(Dim::to_string).collect();
        format!("[{}]", dims.join(", "))
    }
}
