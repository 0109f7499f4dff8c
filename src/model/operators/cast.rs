//! Conversions between element types.

use std::{fmt::Display, str::FromStr};

use burn_backend::Backend;
use half::f16;
use num_traits::AsPrimitive;

use super::{
    super::{
        DType, Data, Tensor, TensorView, onnx,
        plan::{Kernel, Reason},
        tensor::each_number,
    },
    Operator, Refusal, Spec,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Cast" => Operator { types: cast_types, kernel: cast },
        "CastLike" => Operator { types: cast_like_types, kernel: cast_like },
        _ => return None,
    })
}

fn possible(from: DType, to: DType) -> Result<Vec<DType>, Refusal> {
    let text = matches!((from, to), (DType::F32 | DType::F64 | DType::F16 | DType::Bool, DType::Str));
    if text { Err(Refusal::unsupported(format!("{from} to str"))) } else { Ok(vec![to]) }
}

fn target(spec: &Spec<'_>) -> Result<DType, Refusal> {
    let to = spec.int("to", 0)?;
    let element = i32::try_from(to).unwrap_or(0);
    onnx::dtype(element).ok_or_else(|| Refusal::unsupported(format!("to {}", onnx::element_name(element))))
}

fn cast_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    possible(spec.dtype(0)?, target(spec)?)
}

fn cast_like_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    possible(spec.dtype(0)?, spec.dtype(1)?)
}

fn cast<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let to = target(spec)?;
    Ok(Kernel::host(move |args| convert(args.take(0)?, to)))
}

fn cast_like<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let to = spec.dtype(1)?;
    Ok(Kernel::host(move |args| convert(args.take(0)?, to)))
}

/// A number that becomes one of any other type as Rust's `as` makes it.
trait Source:
    Copy
    + AsPrimitive<f32>
    + AsPrimitive<f64>
    + AsPrimitive<i64>
    + AsPrimitive<i32>
    + AsPrimitive<i16>
    + AsPrimitive<i8>
    + AsPrimitive<u64>
    + AsPrimitive<u32>
    + AsPrimitive<u16>
    + AsPrimitive<u8>
{
}

macro_rules! sources {
    ($($type:ty),*) => { $(impl Source for $type {})* };
}

sources!(f32, f64, i64, i32, i16, i8, u64, u32, u16, u8);

/// Converts as numpy's `astype` does; floats beyond an integer's range saturate.
pub(super) fn convert(tensor: Tensor, to: DType) -> Result<Tensor, Reason> {
    let from = tensor.dtype();
    if from == to {
        return Ok(tensor);
    }
    let data = match &tensor.data {
        Data::F32(data) => floats(data, to),
        Data::F64(data) => floats(data, to),
        Data::F16(data) => floats(&widened(data), to),
        Data::I64(data) => integers(data, to),
        Data::I32(data) => integers(data, to),
        Data::I16(data) => integers(data, to),
        Data::I8(data) => integers(data, to),
        Data::U64(data) => integers(data, to),
        Data::U32(data) => integers(data, to),
        Data::U16(data) => integers(data, to),
        Data::U8(data) => integers(data, to),
        Data::Bool(data) => integers(&data.iter().map(|&value| u8::from(value)).collect::<Vec<_>>(), to),
        Data::Str(data) => parsed(data, to)?,
    };
    match data {
        Some(data) => Ok(Tensor { shape: tensor.shape, data }),
        None => Err(format!("{from} does not convert to {to}")),
    }
}

/// 16-bit floats as 32-bit ones, which hold all of them.
fn widened(data: &[f16]) -> Vec<f32> {
    data.iter().map(|value| value.to_f32()).collect()
}

fn each<T: Source + AsPrimitive<U>, U: Copy + 'static>(data: &[T]) -> Vec<U> {
    data.iter().map(|value| value.as_()).collect()
}

/// As a C compiler does it: to narrow integers through wider ones, which then wrap.
fn floats<T: Source + Into<f64>>(data: &[T], to: DType) -> Option<Data> {
    match to {
        DType::I16 | DType::I8 | DType::U16 | DType::U8 => integers(&each::<T, i32>(data), to),
        DType::U32 => integers(&each::<T, i64>(data), to),
        DType::U64 => {
            let unsigned = |&value: &T| {
                if value.into() < 0.0 { AsPrimitive::<i64>::as_(value) as u64 } else { value.as_() }
            };
            Some(Data::U64(data.iter().map(unsigned).collect()))
        }
        DType::Str => None,
        _ => numbers(data, to),
    }
}

fn integers<T: Source + Display>(data: &[T], to: DType) -> Option<Data> {
    match to {
        DType::Str => Some(Data::Str(data.iter().map(T::to_string).collect())),
        _ => numbers(data, to),
    }
}

fn numbers<T: Source>(data: &[T], to: DType) -> Option<Data> {
    Some(match to {
        DType::F32 => Data::F32(each(data)),
        DType::F64 => Data::F64(each(data)),
        // No integer of more digits than 64-bit floats hold exactly is a 16-bit float.
        DType::F16 => Data::F16(each::<T, f64>(data).into_iter().map(f16::from_f64).collect()),
        DType::I64 => Data::I64(each(data)),
        DType::I32 => Data::I32(each(data)),
        DType::I16 => Data::I16(each(data)),
        DType::I8 => Data::I8(each(data)),
        DType::U64 => Data::U64(each(data)),
        DType::U32 => Data::U32(each(data)),
        DType::U16 => Data::U16(each(data)),
        DType::U8 => Data::U8(each(data)),
        DType::Bool => Data::Bool(each::<T, f64>(data).into_iter().map(|value| value != 0.0).collect()),
        DType::Str => return None,
    })
}

fn parsed(texts: &[String], to: DType) -> Result<Option<Data>, Reason> {
    fn each<T: FromStr>(texts: &[String]) -> Result<Vec<T>, Reason> {
        let parse = |text: &String| text.trim().parse().map_err(|_| format!("`{text}` is no number"));
        texts.iter().map(parse).collect()
    }
    Ok(Some(match to {
        DType::F32 => Data::F32(each(texts)?),
        DType::F64 => Data::F64(each(texts)?),
        DType::F16 => Data::F16(each::<f64>(texts)?.into_iter().map(f16::from_f64).collect()),
        DType::I64 => Data::I64(each(texts)?),
        DType::I32 => Data::I32(each(texts)?),
        DType::I16 => Data::I16(each(texts)?),
        DType::I8 => Data::I8(each(texts)?),
        DType::U64 => Data::U64(each(texts)?),
        DType::U32 => Data::U32(each(texts)?),
        DType::U16 => Data::U16(each(texts)?),
        DType::U8 => Data::U8(each(texts)?),
        DType::Bool | DType::Str => return Ok(None),
    }))
}

/// The elements as 64-bit floats.
pub(super) fn to_f64(view: TensorView<'_>) -> Result<Vec<f64>, Reason> {
    Ok(each_number!(view, data => each(data), other => match other {
        TensorView::F16 { data, .. } => each(&widened(data)),
        TensorView::Bool { data, .. } => data.iter().map(|&value| f64::from(u8::from(value))).collect(),
        other => return Err(format!("it does not compute with {}", other.dtype())),
    }))
}

/// The elements as 32-bit floats.
pub(super) fn to_f32(view: TensorView<'_>) -> Result<Vec<f32>, Reason> {
    Ok(each_number!(view, data => each(data), other => match other {
        TensorView::F16 { data, .. } => widened(data),
        TensorView::Bool { data, .. } => data.iter().map(|&value| f32::from(u8::from(value))).collect(),
        other => return Err(format!("it does not compute with {}", other.dtype())),
    }))
}

/// 64-bit floats as elements of another type of number.
pub(super) fn of_f64(values: Vec<f64>, to: DType) -> Result<Data, Reason> {
    if to == DType::F64 {
        return Ok(Data::F64(values));
    }
    floats(&values, to).ok_or_else(|| format!("numbers do not convert to {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_truncate_and_integers_wrap() {
        let floats = Tensor::f32([3], vec![1.9, -1.9, 0.0]);
        assert_eq!(convert(floats.clone(), DType::I64).unwrap().data, Data::I64(vec![1, -1, 0]));
        assert_eq!(convert(floats, DType::Bool).unwrap().data, Data::Bool(vec![true, true, false]));
        assert_eq!(convert(Tensor::i64([1], vec![300]), DType::U8).unwrap().data, Data::U8(vec![44]));
        assert_eq!(
            convert(Tensor::i64([1], vec![-5]), DType::Str).unwrap().data,
            Data::Str(vec!["-5".into()])
        );
    }

    #[test]
    fn text_that_is_no_number_is_named() {
        let texts = Tensor::new([2], Data::Str(vec!["1.5".into(), "x".into()]));
        assert_eq!(convert(texts, DType::F32).unwrap_err(), "`x` is no number");
    }
}
