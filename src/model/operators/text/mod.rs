//! Operators on strings: joining, splitting, matching, and turning texts into vectors of numbers.

mod hash;
mod ngrams;
mod normalize;
mod pattern;
mod strings;
mod tokenize;

use burn_backend::Backend;

use super::{
    super::{DType, plan::Reason},
    Operator, Refusal, Spec,
    broadcast::{broadcast, elements, zip_by},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    strings::find(name).or_else(|| normalize::find(name)).or_else(|| ngrams::find(name))
}

/// What converters use besides ONNX's own operators.
pub(super) fn find_microsoft<B: Backend>(name: &str) -> Option<Operator<B>> {
    tokenize::find(name).or_else(|| hash::find(name))
}

/// Refuses inputs that are no strings.
fn texts(spec: &Spec<'_>) -> Result<(), Refusal> {
    for input in 0..spec.inputs() {
        match spec.dtype(input)? {
            DType::Str => {}
            dtype => return Err(Refusal::invalid(format!("it reads strings, not {dtype}"))),
        }
    }
    Ok(())
}

/// Refuses a result of too many bytes: strings, unlike numbers, may grow.
fn bytes(lengths: impl Iterator<Item = usize>, limit: usize) -> Result<(), Reason> {
    let bytes = lengths.fold(0, usize::saturating_add);
    if bytes <= limit {
        Ok(())
    } else {
        Err(format!("its result has {bytes} bytes, over the limit of {limit}"))
    }
}
