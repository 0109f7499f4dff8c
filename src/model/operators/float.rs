//! The floats that operators compute with: one piece of code for either width.

use super::{
    super::{DType, Data, TensorView, plan::Reason, tensor::Element},
    Refusal, Spec,
    cast::to_f64,
};

/// A type of floats that operators compute with.
pub(super) trait Float: Element + num_traits::Float + Into<f64> {
    /// The nearest to a 64-bit one.
    fn nearest(value: f64) -> Self;

    /// The elements, if they are of this type.
    fn owned(data: Data) -> Result<Vec<Self>, Reason>;
}

macro_rules! floats {
    ($($kind:ident($float:ty)),*) => {$(
        impl Float for $float {
            fn nearest(value: f64) -> $float {
                value as $float
            }

            fn owned(data: Data) -> Result<Vec<$float>, Reason> {
                match data {
                    Data::$kind(data) => Ok(data),
                    other => Err(format!("it does not compute with {}", other.dtype())),
                }
            }
        }
    )*};
}

floats!(F32(f32), F64(f64));

/// Floats or other numbers as floats of one type.
pub(super) fn nearest<T: Float>(view: TensorView<'_>) -> Result<Vec<T>, Reason> {
    match T::of(view) {
        Some(data) => Ok(data.to_vec()),
        None => Ok(to_f64(view)?.into_iter().map(T::nearest).collect()),
    }
}

/// Runs one expression with `$float` as the type of floats that `$dtype` is.
macro_rules! each_float {
    ($dtype:expr, $float:ident => $body:expr) => {
        match $dtype {
            $crate::model::DType::F32 => {
                type $float = f32;
                $body
            }
            $crate::model::DType::F64 => {
                type $float = f64;
                $body
            }
            other => Err(format!("it does not compute with {other}")),
        }
    };
}

pub(super) use each_float;

/// The type of floats that all inputs share.
pub(super) fn shared_float(spec: &Spec<'_>) -> Result<DType, Refusal> {
    let dtype = spec.dtype(0)?;
    if !dtype.is_float() {
        return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
    }
    if spec.mixes_halves() {
        return Err(Refusal::invalid("its inputs are of different types, among them f16"));
    }
    for input in (1..spec.inputs()).filter(|&input| spec.has(input)) {
        let other = spec.dtype(input)?;
        if other != dtype {
            return Err(Refusal::invalid(format!("its inputs are of different types, {dtype} and {other}")));
        }
    }
    Ok(dtype)
}

/// One output of the type of floats that all inputs share.
pub(super) fn shared_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![shared_float(spec)?])
}

/// So many zeros of a type of floats.
pub(super) fn zeros(count: usize, dtype: DType) -> Data {
    if dtype == DType::F64 { Data::F64(vec![0.0; count]) } else { Data::F32(vec![0.0; count]) }
}
