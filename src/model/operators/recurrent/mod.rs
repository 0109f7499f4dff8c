//! Recurrent layers: a state that each step of a sequence changes.

mod activation;
mod cell;
mod layer;
mod product;
mod shapes;
mod weights;

use burn_backend::Backend;

use super::{super::DType, Operator, Refusal, Spec};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "RNN" | "GRU" | "LSTM").then_some(Operator { types, kernel: layer::layer })
}

/// All are floats of one type but input 4, the lengths of the sequences.
fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    if !dtype.is_float() {
        return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
    }
    for input in (1..spec.inputs()).filter(|&input| spec.has(input)) {
        let (given, expected) = (spec.dtype(input)?, if input == 4 { DType::I32 } else { dtype });
        if given != expected {
            return Err(Refusal::invalid(format!("input {input} is {given}, not {expected}")));
        }
    }
    Ok(vec![dtype; 3])
}
