//! From floats to integers and back.

use burn_backend::Backend;
use half::f16;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        super::{
            DType, Data, Tensor, onnx,
            plan::{Args, Kernel, Reason},
            tensor::each_number,
        },
        Refusal, Spec,
        cast::to_f32,
        float::nearest,
        number::Number,
    },
    Quantized,
    scale::Layout,
};

/// The type that an attribute names by ONNX's number.
fn named(spec: &Spec<'_>, attribute: &str) -> Result<Option<DType>, Refusal> {
    match i32::try_from(spec.int(attribute, 0)?).unwrap_or(-1) {
        0 => Ok(None),
        element => match onnx::dtype(element) {
            Some(dtype) => Ok(Some(dtype)),
            None => {
                Err(Refusal::unsupported(format!("its `{attribute}` is {}", onnx::element_name(element))))
            }
        },
    }
}

pub(super) fn quantized_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let asked = named(spec, "output_dtype")?;
    let dtype = if spec.has(2) { spec.dtype(2)? } else { asked.unwrap_or(DType::U8) };
    if asked.is_some_and(|asked| asked != dtype) {
        return Err(Refusal::invalid(format!("its `output_dtype` is not its zero's, {dtype}")));
    }
    precision(spec)?;
    match dtype {
        DType::I8 | DType::U8 | DType::I16 | DType::U16 => Ok(vec![dtype]),
        other => Err(Refusal::unsupported(format!("quantisation to {other}"))),
    }
}

/// Whether it divides in 16 bits.
fn precision(spec: &Spec<'_>) -> Result<bool, Refusal> {
    let (input, scale) = (spec.dtype(0)?, spec.dtype(1)?);
    let precision = named(spec, "precision")?;
    match (input, scale, precision) {
        (_, DType::F32 | DType::F16, Some(DType::F32)) => Ok(false),
        (_, DType::F32 | DType::F16, Some(DType::F16)) => Ok(true),
        (DType::F32 | DType::I32, DType::F32, None) => Ok(false),
        (DType::F16 | DType::I32, DType::F16, None) => Ok(true),
        _ => Err(Refusal::unsupported(format!("{input} by scales of {scale}"))),
    }
}

/// Reads how scales lie along the input.
fn layout<B: Backend>(args: &Args<'_, '_, B>, at: i64, block: usize) -> Result<Layout, Reason> {
    let (shape, scales) = (args.shape(0)?, args.shape(1)?);
    let layout = Layout::new(&shape, &scales, at, block)?;
    if args.has(2) && args.view(2)?.len() != args.view(1)?.len() {
        return Err(format!("zeros of shape {:?} are not those of scales of {scales:?}", args.shape(2)?));
    }
    Ok(layout)
}

fn block(spec: &Spec<'_>) -> Result<usize, Refusal> {
    let size = spec.int("block_size", 0)?;
    usize::try_from(size).map_err(|_| Refusal::invalid(format!("attribute `block_size` is {size}")))
}

pub(super) fn quantize<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, block, halves) = (spec.int("axis", 1)?, block(spec)?, precision(spec)?);
    let to = quantized_types(spec)?[0];
    Ok(Kernel::host(move |args| {
        let layout = layout(args, at, block)?;
        let (values, scales) = (to_f32(args.view(0)?)?, nearest::<f32>(args.view(1)?)?);
        let values = quotients(values, &scales, layout, halves);
        let data = match to {
            DType::I8 => Data::I8(saturated(values, args.optional(2)?, layout)),
            DType::I16 => Data::I16(saturated(values, args.optional(2)?, layout)),
            DType::U16 => Data::U16(saturated(values, args.optional(2)?, layout)),
            _ => Data::U8(saturated(values, args.optional(2)?, layout)),
        };
        Ok(Tensor { shape: args.shape(0)?.to_vec(), data })
    }))
}

/// Each value by its scale, rounded to the nearest whole number.
fn quotients(mut values: Vec<f32>, scales: &[f32], layout: Layout, halves: bool) -> Vec<f32> {
    let half = |value: f32| f16::from_f32(value).to_f32();
    for (element, value) in values.iter_mut().enumerate() {
        let scale = scales[layout.of(element)];
        let quotient = if halves { half(half(*value) / half(scale)) } else { *value / scale };
        *value = quotient.round_ties_even();
    }
    values
}

fn saturated<T: Quantized>(values: Vec<f32>, zeros: Option<&[T]>, layout: Layout) -> Vec<T> {
    let zero = |element: usize| zeros.map_or(0.0, |zeros| zeros[layout.of(element)].to_f64());
    let values = values.into_iter().enumerate();
    values.map(|(element, value)| T::saturated(f64::from(value) + zero(element))).collect()
}

/// Floats of the scale's type. That of 16 bits is left to wider floats.
pub(super) fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (dtype, scale, asked) = (spec.dtype(0)?, spec.dtype(1)?, named(spec, "output_dtype")?);
    if spec.has(2) && spec.dtype(2)? != dtype {
        return Err(Refusal::invalid(format!("its zero is no {dtype}")));
    }
    if !matches!(dtype, DType::I8 | DType::U8 | DType::I16 | DType::U16 | DType::I32) {
        return Err(Refusal::unsupported(format!("quantised {dtype}")));
    }
    match (scale, asked) {
        (DType::F32, None | Some(DType::F32)) | (DType::F16, Some(DType::F32)) => Ok(vec![DType::F32]),
        (scale, None) => Err(Refusal::invalid(format!("its scale is {scale}"))),
        (scale, Some(asked)) => Err(Refusal::unsupported(format!("{asked} by scales of {scale}"))),
    }
}

pub(super) fn dequantize<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, block) = (spec.int("axis", 1)?, block(spec)?);
    Ok(Kernel::host(move |args| {
        let layout = layout(args, at, block)?;
        let scales = nearest::<f32>(args.view(1)?)?;
        let values = each_number!(args.view(0)?, values => {
            let zeros = if args.has(2) { args.view(2)?.like(values) } else { None };
            dequantized(values, zeros, &scales, layout)
        }, other => return Err(format!("it is no quantised {}", other.dtype())));
        Ok(Tensor::f32(args.shape(0)?.to_vec(), values))
    }))
}

fn dequantized<T: Number>(values: &[T], zeros: Option<&[T]>, scales: &[f32], layout: Layout) -> Vec<f32> {
    let value = |(element, value): (usize, &T)| {
        let number = layout.of(element);
        let zero = zeros.map_or(0.0, |zeros| zeros[number].to_f64());
        (value.to_f64() - zero) as f32 * scales[number]
    };
    values.iter().enumerate().map(value).collect()
}

pub(super) fn dynamic_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        DType::F32 => Ok(vec![DType::U8, DType::F32, DType::U8]),
        dtype => Err(Refusal::invalid(format!("it does not quantise {dtype}"))),
    }
}

/// Bytes by a scale and a zero that let them reach from the least value to the largest.
pub(super) fn dynamic<B: Backend>(_: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    Ok(Kernel::host_many(|args| {
        let (shape, values) = (args.shape(0)?.to_vec(), args.elements::<f32>(0)?);
        let (low, high) =
            values.iter().fold((0.0_f32, 0.0_f32), |(low, high), &value| (low.min(value), high.max(value)));
        let scale = if low == high { 1.0 } else { (high - low) / 255.0 };
        let zero = u8::saturated(f64::from((0.0 - low / scale).round_ties_even()));
        let rounded = quotients(values.to_vec(), &[scale], Layout::Whole, false);
        let bytes = saturated(rounded, Some(&[zero]), Layout::Whole);
        let outputs: SmallVec<[Tensor; 2]> = smallvec![
            Tensor { shape, data: Data::U8(bytes) },
            Tensor::f32([], vec![scale]),
            Tensor { shape: Vec::new(), data: Data::U8(vec![zero]) },
        ];
        Ok(outputs)
    }))
}
