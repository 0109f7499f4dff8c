//! 16-bit floats. Operators that move elements take them as they are; those that compute are given 32-bit floats and
//! their results are rounded once, where somebody reads them as 16-bit ones: at least as exact as rounding after every step.

use std::sync::Arc;

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor,
        plan::{Kernel, Reason, evaluate},
    },
    Operator, Refusal, Spec,
    cast::convert,
};

/// In which floats a node's operator computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Those that it is given.
    Own,
    /// 32-bit ones, instead of 16-bit ones.
    Wider,
}

/// The types that a node's operator gives, and in which floats. What is refused for its 16-bit floats is tried with wider ones.
pub(super) fn types<B: Backend>(
    operator: &Operator<B>,
    spec: &Spec<'_>,
) -> Result<(Vec<DType>, Width), Refusal> {
    let refusal = match (operator.types)(spec) {
        Ok(types) => return Ok((types, Width::Own)),
        Err(refusal) => refusal,
    };
    if !(0..spec.inputs()).any(|input| spec.dtype(input) == Ok(DType::F16)) {
        return Err(refusal);
    }
    Ok(((operator.types)(&spec.widened())?, Width::Wider))
}

/// The types that a node gives, whatever its operator computes in.
pub(super) fn narrowed((types, width): (Vec<DType>, Width)) -> Vec<DType> {
    let narrow = |dtype| if dtype == DType::F32 && width == Width::Wider { DType::F16 } else { dtype };
    types.into_iter().map(narrow).collect()
}

/// A constant in 32 bits.
pub(super) fn widen(tensor: &Tensor) -> Result<Arc<Tensor>, Reason> {
    convert(tensor.clone(), DType::F32).map(Arc::new)
}

/// Compiles a node: its kernel is given wider floats if it is to compute in those, and what the graph knows as 16-bit
/// floats is made such.
pub(super) fn compile<B: Backend>(operator: &Operator<B>, spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (types, width) = types(operator, spec)?;
    let rounded = |(output, dtype)| dtype == DType::F32 && spec.output(output) == Some(DType::F16);
    let rounded: Vec<bool> = types.into_iter().enumerate().map(rounded).collect();
    match width {
        Width::Own if !rounded.contains(&true) => (operator.kernel)(spec),
        Width::Own => Ok(around((operator.kernel)(spec)?, false, rounded)),
        Width::Wider => Ok(around((operator.kernel)(&spec.widened())?, true, rounded)),
    }
}

fn around<B: Backend>(kernel: Kernel<B>, widens: bool, rounded: Vec<bool>) -> Kernel<B> {
    Kernel::whole(move |mut inputs, device| {
        for input in inputs.iter_mut().flatten().filter(|input| widens && input.dtype() == DType::F16) {
            *input = widen(input)?;
        }
        let outputs = evaluate(&kernel, &inputs, device)?;
        let round = |(output, rounded)| if rounded { convert(output, DType::F16) } else { Ok(output) };
        outputs.into_iter().zip(rounded.iter().copied()).map(round).collect()
    })
}
