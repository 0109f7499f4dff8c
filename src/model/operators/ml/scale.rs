//! Operators on single features: scaling, thresholds, missing values, norms of rows.

use burn_backend::Backend;

use super::{
    super::super::{
        DType, Data, Tensor,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, cast, matrix,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Scaler" => Operator { types: float_types, kernel: scaler },
        "Normalizer" => Operator { types: float_types, kernel: normalizer },
        "Imputer" => Operator { types: imputer_types, kernel: imputer },
        "Binarizer" => Operator { types: same_types, kernel: binarizer },
        _ => return None,
    })
}

fn same_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    same_types(spec).map(|_| vec![DType::F32])
}

fn imputer_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let listed = if spec.dtype(0)?.is_float() { "imputed_value_floats" } else { "imputed_value_int64s" };
    if !spec.has_attribute(listed) {
        return Err(Refusal::invalid(format!("attribute `{listed}` is missing")));
    }
    same_types(spec)
}

/// The last dimension, which features lie along.
fn features(shape: &[usize]) -> Result<usize, Reason> {
    shape.last().copied().ok_or_else(|| "a scalar has no features".to_owned())
}

/// A parameter that is one for all features, or one each.
fn fits(parameter: usize, features: usize) -> Result<(), Reason> {
    if parameter == 1 || parameter == features {
        return Ok(());
    }
    Err(format!("rows of {features} features do not fit {parameter} parameters"))
}

/// `(x - offset) * scale`.
fn scaler<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let offset = spec.floats("offset")?.map_or_else(|| vec![0.0], <[f32]>::to_vec);
    let scale = spec.floats("scale")?.map_or_else(|| vec![1.0], <[f32]>::to_vec);
    if offset.is_empty() || scale.is_empty() {
        return Err(Refusal::invalid("its offset or scale is empty"));
    }
    Ok(Kernel::host(move |args| {
        let features = features(&args.shape(0)?)?;
        fits(offset.len(), features)?;
        fits(scale.len(), features)?;
        let mut tensor = floats(args.take(0)?)?;
        let Data::F32(data) = &mut tensor.data else { return Err("it holds no floats".to_owned()) };
        for row in data.chunks_exact_mut(features.max(1)) {
            match offset.as_slice() {
                [offset] => row.iter_mut().for_each(|value| *value -= offset),
                each => row.iter_mut().zip(each).for_each(|(value, offset)| *value -= offset),
            }
            match scale.as_slice() {
                [scale] => row.iter_mut().for_each(|value| *value *= scale),
                each => row.iter_mut().zip(each).for_each(|(value, scale)| *value *= scale),
            }
        }
        Ok(tensor)
    }))
}

fn floats(tensor: Tensor) -> Result<Tensor, Reason> {
    cast::convert(tensor, DType::F32)
}

#[derive(Clone, Copy)]
enum Norm {
    Max,
    L1,
    L2,
}

fn normalizer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let norm = match spec.text("norm", "MAX")? {
        "MAX" => Norm::Max,
        "L1" => Norm::L1,
        "L2" => Norm::L2,
        other => return Err(Refusal::invalid(format!("norm `{other}` does not exist"))),
    };
    Ok(Kernel::host(move |args| {
        let (_, columns) = matrix(&args.shape(0)?)?;
        let mut tensor = floats(args.take(0)?)?;
        let Data::F32(data) = &mut tensor.data else { return Err("it holds no floats".to_owned()) };
        data.chunks_exact_mut(columns.max(1)).for_each(|row| normalize(row, norm));
        Ok(tensor)
    }))
}

fn normalize(row: &mut [f32], norm: Norm) {
    let size = match norm {
        Norm::Max => row.iter().copied().fold(f32::MIN, f32::max),
        Norm::L1 => row.iter().map(|value| value.abs()).sum(),
        Norm::L2 => row.iter().map(|value| value * value).sum::<f32>().sqrt(),
    };
    if size != 0.0 {
        row.iter_mut().for_each(|value| *value /= size);
    }
}

fn imputer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    if spec.dtype(0)?.is_float() {
        let values = spec.floats("imputed_value_floats")?.unwrap_or_default().to_vec();
        let replaced = spec.float("replaced_value_float", 0.0)?;
        return Ok(Kernel::host(move |args| {
            let mut tensor = args.take(0)?;
            let features = features(&tensor.shape)?;
            match &mut tensor.data {
                Data::F32(data) => {
                    replace(data, features, &values, |value| is(value.into(), replaced.into()))
                }
                Data::F64(data) => {
                    let values: Vec<f64> = values.iter().map(|&value| value.into()).collect();
                    replace(data, features, &values, |value| is(value, replaced.into()))
                }
                other => Err(format!("it does not compute with {}", other.dtype())),
            }?;
            Ok(tensor)
        }));
    }
    let values = spec.ints("imputed_value_int64s")?.unwrap_or_default().to_vec();
    let replaced = spec.int("replaced_value_int64", 0)?;
    Ok(Kernel::host(move |args| {
        let mut tensor = args.take(0)?;
        let features = features(&tensor.shape)?;
        match &mut tensor.data {
            Data::I64(data) => replace(data, features, &values, |value| value == replaced),
            Data::I32(data) => {
                let values: Vec<i32> = values.iter().map(|&value| value as i32).collect();
                replace(data, features, &values, |value| i64::from(value) == replaced)
            }
            other => Err(format!("it does not compute with {}", other.dtype())),
        }?;
        Ok(tensor)
    }))
}

fn is(value: f64, replaced: f64) -> bool {
    value == replaced || (value.is_nan() && replaced.is_nan())
}

fn replace<T: Copy>(
    data: &mut [T],
    features: usize,
    values: &[T],
    missing: impl Fn(T) -> bool,
) -> Result<(), Reason> {
    fits(values.len(), features)?;
    for row in data.chunks_exact_mut(features.max(1)) {
        for (index, value) in row.iter_mut().enumerate() {
            if missing(*value) {
                *value = if values.len() == 1 { values[0] } else { values[index] };
            }
        }
    }
    Ok(())
}

fn binarizer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let threshold = f64::from(spec.float("threshold", 0.0)?);
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let over =
            cast::to_f64(view)?.into_iter().map(|value| if value > threshold { 1.0 } else { 0.0 }).collect();
        Ok(Tensor { shape: view.shape().to_vec(), data: cast::of_f64(over, view.dtype())? })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_norm_zero_stays() {
        let mut row = [0.0, 0.0];
        normalize(&mut row, Norm::L1);
        assert_eq!(row, [0.0, 0.0]);
        let mut row = [-3.0, 4.0];
        normalize(&mut row, Norm::L2);
        assert_eq!(row, [-0.6, 0.8]);
        let mut row = [-1.0, 0.5];
        normalize(&mut row, Norm::Max);
        assert_eq!(row, [-2.0, 1.0]);
    }

    #[test]
    fn nan_is_replaced_by_each_features_value() {
        let mut data = [f32::NAN, 1.0, 2.0, f32::NAN];
        replace(&mut data, 2, &[8.0, 9.0], |value| is(value.into(), f64::NAN)).unwrap();
        assert_eq!(data, [8.0, 1.0, 2.0, 9.0]);
        let error = replace(&mut data, 2, &[1.0; 3], |_| true).unwrap_err();
        assert_eq!(error, "rows of 2 features do not fit 3 parameters");
    }
}
