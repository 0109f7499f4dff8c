//! What scoring gives.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::row::Scalar;

/// The scores of one row under one binding.
pub type Scores = SmallVec<[Score; 2]>;

/// A value for a score column.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The column, counted in the schema that the binding was compiled for.
    pub column: usize,
    /// The value.
    pub value: ScoreValue,
}

/// One element of a model's output.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreValue {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A 32-bit signed integer.
    I32(i32),
    /// A 64-bit signed integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// Text: the label of a class.
    Str(Arc<str>),
}

impl ScoreValue {
    /// The value as a row holds it.
    pub fn scalar(&self) -> Scalar<'_> {
        match self {
            ScoreValue::Null => Scalar::Null,
            ScoreValue::Bool(value) => Scalar::Bool(*value),
            ScoreValue::I32(value) => Scalar::I32(*value),
            ScoreValue::I64(value) => Scalar::I64(*value),
            ScoreValue::F32(value) => Scalar::F32(*value),
            ScoreValue::F64(value) => Scalar::F64(*value),
            ScoreValue::Str(text) => Scalar::Str(text),
        }
    }
}
