//! The operators: for each the types it takes and gives, decided at load, and its kernel.

mod activation;
mod align;
mod arrange;
mod attention;
mod binary;
mod bits;
mod broadcast;
mod cast;
mod constants;
mod conv;
mod cumulative;
mod distance;
mod einsum;
mod float;
mod flow;
mod fourier;
mod gated;
mod half;
mod hardmax;
mod indicate;
mod linear;
mod link;
mod loss;
mod matrix;
mod ml;
mod norm;
mod number;
mod pad;
mod panel;
mod pick;
mod pool;
mod prelu;
mod quant;
mod rearrange;
mod recurrent;
mod reduce;
mod resize;
mod sample;
mod scatter;
mod select;
mod sliding;
mod softmax;
mod spec;
mod suppression;
mod text;
mod trees;
mod unary;
mod unique;
mod windows;

use burn_backend::Backend;

use super::{
    DType,
    plan::{Kernel, Reason},
};

pub(super) use constants::held;
pub(super) use flow::formals;
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
            .or_else(|| linear::find(name))
            .or_else(|| flow::find(name))
            .or_else(|| text::find(name))
            .or_else(|| bits::find(name))
            .or_else(|| cumulative::find(name))
            .or_else(|| einsum::find(name))
            .or_else(|| fourier::find(name))
            .or_else(|| hardmax::find(name))
            .or_else(|| indicate::find(name))
            .or_else(|| matrix::find(name))
            .or_else(|| pad::find(name))
            .or_else(|| prelu::find(name))
            .or_else(|| rearrange::find(name))
            .or_else(|| resize::find(name))
            .or_else(|| scatter::find(name))
            .or_else(|| suppression::find(name))
            .or_else(|| unique::find(name))
            .or_else(|| windows::find(name))
            .or_else(|| conv::find(name))
            .or_else(|| pool::find(name))
            .or_else(|| norm::find(name))
            .or_else(|| recurrent::find(name))
            .or_else(|| attention::find(name))
            .or_else(|| quant::find(name))
            .or_else(|| sample::find(name))
            .or_else(|| gated::find(name))
            .or_else(|| loss::find(name)),
        "ai.onnx.preview" if spec.version() <= 1 => attention::find_preview(name),
        "ai.onnx.ml" if spec.version() <= NEWEST_ML => ml::find(name),
        "com.microsoft" if spec.version() <= NEWEST_MICROSOFT => {
            text::find_microsoft(name).or_else(|| distance::find(name))
        }
        OWN => linear::find_fused(name)
            .or_else(|| align::find(name))
            .or_else(|| trees::find(name))
            .or_else(|| link::find(name)),
        _ => None,
    }
}

/// The newest version of `ai.onnx` whose operators are known to mean what they are taken to mean.
const NEWEST: i64 = 28;
/// The same of `ai.onnx.ml`.
const NEWEST_ML: i64 = 5;
/// The same of `com.microsoft`, ONNX Runtime's own operators.
const NEWEST_MICROSOFT: i64 = 1;
/// The domain of the operators that the engine itself makes. No file names it: it is no word.
pub(super) const OWN: &str = " ";
/// The layer that a pass makes of a product, a sum and an activation.
pub(super) const DENSE: (&str, &str) = (OWN, "Dense");
/// What lays an operand along another from a given dimension on.
pub(super) const ALIGN: (&str, &str) = (OWN, "Align");

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

/// Whether the node's 16-bit floats are computed with as 32-bit ones.
pub(super) fn widens(spec: &Spec<'_>) -> bool {
    let operator = find::<burn_flex::Flex>(spec);
    operator.is_some_and(|operator| matches!(half::types(&operator, spec), Ok((_, half::Width::Wider))))
}

/// The types that a node gives.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match find::<burn_flex::Flex>(spec) {
        Some(operator) => half::types(&operator, spec).map(half::narrowed),
        None => Err(Refusal::unsupported("it is not known")),
    }
}

/// Compiles a node.
pub(super) fn compile<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    match find::<B>(spec) {
        Some(operator) => half::compile(&operator, spec),
        None => Err(Refusal::unsupported("it is not known")),
    }
}
