//! The operators of `ai.onnx.ml`: what converters make of scikit-learn, XGBoost and LightGBM.

mod arrays;
mod classes;
mod columns;
mod coupling;
mod ensemble;
mod lookup;
mod machines;
mod maps;
mod one_hot;
mod post;
mod regression;
mod scale;
mod similarity;
mod trees;

use burn_backend::Backend;

use super::{super::DType, Operator, Refusal, Spec, axis, cast, pick::pick, softmax::softmax_f32};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    regression::find(name)
        .or_else(|| trees::find(name))
        .or_else(|| scale::find(name))
        .or_else(|| columns::find(name))
        .or_else(|| lookup::find(name))
        .or_else(|| machines::find(name))
        .or_else(|| one_hot::find(name))
        .or_else(|| maps::find(name))
}

/// Rows and columns of a matrix; a vector is one row.
fn matrix(shape: &[usize]) -> Result<(usize, usize), super::super::plan::Reason> {
    match *shape {
        [columns] => Ok((1, columns)),
        [rows, columns] => Ok((rows, columns)),
        _ => Err(format!("a tensor of shape {shape:?} is no matrix")),
    }
}

/// Refuses what is not computed with.
fn numbers(spec: &Spec<'_>) -> Result<(), Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        _ => Ok(()),
    }
}

/// Floats of the file, to be computed with in 64 bits.
fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}
