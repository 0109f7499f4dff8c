//! Conversions between element types.

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor, TensorView, onnx,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec,
    number::Number,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Cast" => Operator { types: cast_types, kernel: cast },
        "CastLike" => Operator { types: cast_like_types, kernel: cast_like },
        _ => return None,
    })
}

fn possible(from: DType, to: DType) -> Result<Vec<DType>, Refusal> {
    let text = matches!((from, to), (DType::F32 | DType::F64 | DType::Bool, DType::Str));
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

/// Converts as numpy's `astype` does; floats beyond an integer's range saturate.
pub(super) fn convert(tensor: Tensor, to: DType) -> Result<Tensor, Reason> {
    let from = tensor.dtype();
    if from == to {
        return Ok(tensor);
    }
    let data = match &tensor.data {
        Data::F32(data) => numbers(data, to),
        Data::F64(data) => numbers(data, to),
        Data::I64(data) => integers(data, to),
        Data::I32(data) => integers(data, to),
        Data::I8(data) => integers(data, to),
        Data::U8(data) => integers(data, to),
        Data::Bool(data) => integers(&data.iter().map(|&value| u8::from(value)).collect::<Vec<_>>(), to),
        Data::Str(data) => parsed(data, to)?,
    };
    match data {
        Some(data) => Ok(Tensor { shape: tensor.shape, data }),
        None => Err(format!("{from} does not convert to {to}")),
    }
}

fn numbers<T: Number + Into<f64>>(data: &[T], to: DType) -> Option<Data> {
    let values = data.iter().map(|&value| -> f64 { value.into() });
    Some(match to {
        DType::F32 => Data::F32(values.map(|value| value as f32).collect()),
        DType::F64 => Data::F64(values.collect()),
        DType::I64 => Data::I64(values.map(|value| value as i64).collect()),
        DType::I32 => Data::I32(values.map(|value| value as i32).collect()),
        // As a C compiler does it: through a wider integer, then wrapping.
        DType::I8 => Data::I8(values.map(|value| value as i32 as i8).collect()),
        DType::U8 => Data::U8(values.map(|value| value as i32 as u8).collect()),
        DType::Bool => Data::Bool(values.map(|value| value != 0.0).collect()),
        DType::Str => return None,
    })
}

fn integers<T: Number + std::fmt::Display>(data: &[T], to: DType) -> Option<Data>
where
    i64: From<T>,
{
    let values = data.iter().map(|&value| i64::from(value));
    Some(match to {
        DType::F32 => Data::F32(values.map(|value| value as f32).collect()),
        DType::F64 => Data::F64(values.map(|value| value as f64).collect()),
        DType::I64 => Data::I64(values.collect()),
        DType::I32 => Data::I32(values.map(|value| value as i32).collect()),
        DType::I8 => Data::I8(values.map(|value| value as i8).collect()),
        DType::U8 => Data::U8(values.map(|value| value as u8).collect()),
        DType::Bool => Data::Bool(values.map(|value| value != 0).collect()),
        DType::Str => Data::Str(data.iter().map(T::to_string).collect()),
    })
}

fn parsed(texts: &[String], to: DType) -> Result<Option<Data>, Reason> {
    fn each<T: std::str::FromStr>(texts: &[String]) -> Result<Vec<T>, Reason> {
        let parse = |text: &String| text.trim().parse().map_err(|_| format!("`{text}` is no number"));
        texts.iter().map(parse).collect()
    }
    Ok(Some(match to {
        DType::F32 => Data::F32(each(texts)?),
        DType::F64 => Data::F64(each(texts)?),
        DType::I64 => Data::I64(each(texts)?),
        DType::I32 => Data::I32(each(texts)?),
        DType::I8 => Data::I8(each(texts)?),
        DType::U8 => Data::U8(each(texts)?),
        DType::Bool | DType::Str => return Ok(None),
    }))
}

/// The elements as 64-bit floats.
pub(super) fn to_f64(view: TensorView<'_>) -> Result<Vec<f64>, Reason> {
    Ok(match view {
        TensorView::F32 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::F64 { data, .. } => data.to_vec(),
        TensorView::I64 { data, .. } => data.iter().map(|&value| value as f64).collect(),
        TensorView::I32 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::I8 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::U8 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::Bool { data, .. } => data.iter().map(|&value| f64::from(u8::from(value))).collect(),
        TensorView::Str { .. } => return Err("it does not compute with str".to_owned()),
    })
}

/// The elements as 32-bit floats.
pub(super) fn to_f32(view: TensorView<'_>) -> Result<Vec<f32>, Reason> {
    Ok(match view {
        TensorView::F32 { data, .. } => data.to_vec(),
        TensorView::F64 { data, .. } => data.iter().map(|&value| value as f32).collect(),
        TensorView::I64 { data, .. } => data.iter().map(|&value| value as f32).collect(),
        TensorView::I32 { data, .. } => data.iter().map(|&value| value as f32).collect(),
        TensorView::I8 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::U8 { data, .. } => data.iter().map(|&value| value.into()).collect(),
        TensorView::Bool { data, .. } => data.iter().map(|&value| f32::from(u8::from(value))).collect(),
        TensorView::Str { .. } => return Err("it does not compute with str".to_owned()),
    })
}

/// 64-bit floats as elements of another type of number.
pub(super) fn of_f64(values: Vec<f64>, to: DType) -> Result<Data, Reason> {
    if to == DType::F64 {
        return Ok(Data::F64(values));
    }
    numbers(&values, to).ok_or_else(|| format!("numbers do not convert to {to}"))
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
