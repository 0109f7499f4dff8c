//! Bytes on their way into a product of whole numbers and back.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            DType, Data, Tensor, TensorView,
            plan::{Args, Reason},
        },
        Refusal, Spec,
        broadcast::{broadcast, zip},
    },
    Quantized,
};

/// Whole numbers of 32 bits, of two tensors of bytes and their zeros.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for input in 0..2 {
        let dtype = spec.dtype(input)?;
        let zero = if spec.has(input + 2) { spec.dtype(input + 2)? } else { dtype };
        if !is_byte(dtype) || zero != dtype {
            return Err(Refusal::invalid(format!("it does not multiply {dtype} whose zero is {zero}")));
        }
    }
    Ok(vec![DType::I32])
}

/// Bytes, of two tensors of bytes: each with its scale and its zero, then those of the result, then a bias.
pub(super) fn quantized_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for input in [0, 3] {
        let (dtype, scale, zero) = (spec.dtype(input)?, spec.dtype(input + 1)?, spec.dtype(input + 2)?);
        if !is_byte(dtype) || zero != dtype || scale != DType::F32 {
            return Err(Refusal::invalid(format!("{dtype} by scales of {scale} whose zero is {zero}")));
        }
    }
    if spec.has(8) && spec.dtype(8)? != DType::I32 {
        return Err(Refusal::invalid("its bias is not i32"));
    }
    match (spec.dtype(6)?, spec.dtype(7)?) {
        (DType::F32, dtype) if is_byte(dtype) => Ok(vec![dtype]),
        (scale, dtype) => Err(Refusal::invalid(format!("results of {dtype} by scales of {scale}"))),
    }
}

fn is_byte(dtype: DType) -> bool {
    matches!(dtype, DType::I8 | DType::U8)
}

/// Bytes without their zeros, which are stretched from the shape `zeros` over the tensor.
pub(super) fn centred(
    view: TensorView<'_>,
    zero: Option<TensorView<'_>>,
    zeros: &[usize],
) -> Result<Vec<i32>, Reason> {
    let numbers = widened(view)?;
    let Some(zero) = zero else { return Ok(numbers) };
    let shape = view.shape();
    if broadcast(shape, zeros)?[..] != *shape {
        return Err(format!("zeros of shape {zeros:?} do not fit a tensor of shape {shape:?}"));
    }
    Ok(zip((shape, &numbers), (zeros, &widened(zero)?), shape, i32::wrapping_sub))
}

fn widened(view: TensorView<'_>) -> Result<Vec<i32>, Reason> {
    match view {
        TensorView::I8 { data, .. } => Ok(data.iter().map(|&value| value.into()).collect()),
        TensorView::U8 { data, .. } => Ok(data.iter().map(|&value| value.into()).collect()),
        other => Err(format!("{} where bytes are needed", other.dtype())),
    }
}

/// Sums as bytes, by the scale and the zero of the result. They are in proportion to `scales`, which are stretched over
/// them.
pub(super) fn requantized<B: Backend>(
    args: &Args<'_, '_, B>,
    shape: Vec<usize>,
    sums: &[i32],
    (scales_shape, scales): (&[usize], Vec<f32>),
) -> Result<Tensor, Reason> {
    let &[scale] = args.elements::<f32>(6)? else {
        return Err(format!("its result has a scale of shape {:?}", args.shape(6)?));
    };
    if broadcast(&shape, scales_shape)?[..] != shape {
        return Err(format!("scales of shape {scales_shape:?} do not fit a result of shape {shape:?}"));
    }
    let sums: Vec<f32> = sums.iter().map(|&sum| sum as f32).collect();
    let rounded = zip((&shape, &sums), (scales_shape, &scales), &shape, |sum, by| {
        (sum * (by / scale)).round_ties_even()
    });
    let data = match args.view(7)? {
        TensorView::I8 { data: &[zero], .. } => Data::I8(shifted(rounded, zero)),
        TensorView::U8 { data: &[zero], .. } => Data::U8(shifted(rounded, zero)),
        other => return Err(format!("its result has a zero of shape {:?}", other.shape())),
    };
    Ok(Tensor { shape, data })
}

fn shifted<T: Quantized>(rounded: Vec<f32>, zero: T) -> Vec<T> {
    rounded.into_iter().map(|value| T::saturated(f64::from(value) + zero.to_f64())).collect()
}
