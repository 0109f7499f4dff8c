//! The operators: for each the types it takes and gives, decided at load, and its kernel.

mod activation;
mod arrange;
mod binary;
mod broadcast;
mod cast;
mod constants;
mod linear;
mod link;
mod ml;
mod number;
mod panel;
mod reduce;
mod select;
mod softmax;
mod spec;
mod trees;
mod unary;

use burn_backend::Backend;

use super::{
    DType,
    plan::{Kernel, Reason},
};

pub(super) use link::{LINK, Link};
pub(super) use spec::{Refusal, Spec};
pub(super) use trees::{TREES, bounds};

/// What a family of operators says of one of them.
pub(super) struct Operator<B: Backend> {
    /// The types it gives, or why it cannot take what it is given.
    types: fn(&Spec<'_>) -> Result<Vec<DType>, Refusal>,
    /// Its kernel for one node.
    kernel: fn(&Spec<'_>) -> Result<Kernel<B>, Refusal>,
}

fn find<B: Backend>(spec: &Spec<'_>) -> Option<Operator<B>> {
    let (domain, name) = spec.op().parts();
    match domain {
        "ai.onnx" if spec.version() <= NEWEST => unary::find(name)
            .or_else(|| binary::find(name))
            .or_else(|| arrange::find(name))
            .or_else(|| select::find(name))
            .or_else(|| reduce::find(name))
            .or_else(|| cast::find(name))
            .or_else(|| constants::find(name))
            .or_else(|| softmax::find(name))
            .or_else(|| linear::find(name)),
        "ai.onnx.ml" if spec.version() <= NEWEST_ML => ml::find(name),
        OWN => linear::find_fused(name).or_else(|| trees::find(name)).or_else(|| link::find(name)),
        _ => None,
    }
}

/// The newest version of `ai.onnx` whose operators are known to mean what they are taken to mean.
const NEWEST: i64 = 27;
/// The same of `ai.onnx.ml`.
const NEWEST_ML: i64 = 5;
/// The domain of the operators that the engine itself makes. No file names it: it is no word.
pub(super) const OWN: &str = " ";
/// The layer that a pass makes of a product, a sum and an activation.
pub(super) const DENSE: (&str, &str) = (OWN, "Dense");

/// Whether a tensor is computed by the backend: neither so small that a loop is faster, nor of a rank that
/// burn-ndarray does not have.
fn on_backend(shape: &[usize], loop_elements: usize) -> bool {
    (1..=6).contains(&shape.len()) && shape.iter().product::<usize>() > loop_elements
}

/// A dimension that may count from the last.
fn axis(at: i64, rank: usize) -> Result<usize, Reason> {
    let place = if at < 0 { at + rank as i64 } else { at };
    let place = usize::try_from(place).ok().filter(|&place| place < rank);
    place.ok_or_else(|| format!("axis {at} is outside of {rank} dimensions"))
}

/// Whether the engine knows the operator at all.
pub(super) fn knows(spec: &Spec<'_>) -> bool {
    find::<burn_flex::Flex>(spec).is_some()
}

/// The types that a node gives.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match find::<burn_flex::Flex>(spec) {
        Some(operator) => (operator.types)(spec),
        None => Err(Refusal::unsupported("it is not known")),
    }
}

/// Compiles a node.
pub(super) fn compile<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    match find::<B>(spec) {
        Some(operator) => (operator.kernel)(spec),
        None => Err(Refusal::unsupported("it is not known")),
    }
}
