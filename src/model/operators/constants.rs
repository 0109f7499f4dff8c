//! Operators that make tensors out of little: constants, fills, ranges.

use std::sync::Arc;

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec,
    broadcast::elements,
    select::sizes,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Constant" => Operator { types: constant_types, kernel: constant },
        "ConstantOfShape" => Operator { types: fill_types, kernel: fill },
        "Range" => Operator { types: range_types, kernel: range },
        _ => return None,
    })
}

/// The tensor that a `Constant` holds, in whichever attribute.
pub(in crate::model) fn held(spec: &Spec<'_>) -> Result<Arc<Tensor>, Refusal> {
    if let Some(tensor) = spec.tensor("value")? {
        return Ok(Arc::clone(tensor));
    }
    let tensor = if let Some(values) = spec.floats("value_floats")? {
        Tensor::f32([values.len()], values.to_vec())
    } else if let Some(values) = spec.ints("value_ints")? {
        Tensor::i64([values.len()], values.to_vec())
    } else if let Some(values) = spec.texts("value_strings")? {
        Tensor::new([values.len()], Data::Str(values.to_vec()))
    } else if spec.has_attribute("value_float") {
        Tensor::f32([], vec![spec.float("value_float", 0.0)?])
    } else if spec.has_attribute("value_int") {
        Tensor::i64([], vec![spec.int("value_int", 0)?])
    } else if spec.has_attribute("value_string") {
        Tensor::new([], Data::Str(vec![spec.text("value_string", "")?.to_owned()]))
    } else {
        return Err(Refusal::unsupported("a constant of a kind that the engine does not have"));
    };
    Ok(Arc::new(tensor))
}

fn constant_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![held(spec)?.dtype()])
}

fn constant<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let tensor = held(spec)?;
    Ok(Kernel::host(move |_| Ok((*tensor).clone())))
}

fn filler(spec: &Spec<'_>) -> Result<Tensor, Refusal> {
    match spec.tensor("value")? {
        None => Ok(Tensor::f32([1], vec![0.0])),
        Some(tensor) if tensor.data.len() == 1 => Ok((**tensor).clone()),
        Some(_) => Err(Refusal::invalid("its `value` has not one element")),
    }
}

fn fill_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![filler(spec)?.dtype()])
}

fn fill<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let value = filler(spec)?;
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let shape = sizes(args.i64(0)?, rank)?;
        let count = elements(&shape, limit)?;
        let data = value.data.cycled(count);
        Ok(Tensor { shape: shape.to_vec(), data })
    }))
}

fn range_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    // 16-bit floats are counted in 32-bit ones, which is what 1 stands for.
    if spec.int("stash_type", 1)? != 1 {
        return Err(Refusal::unsupported("attribute `stash_type` other than 1"));
    }
    match spec.dtype(0)? {
        dtype @ (DType::F32 | DType::F64 | DType::I64 | DType::I32 | DType::I16) => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not count in {dtype}"))),
    }
}

fn range<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (start, end, step) = (args.view(0)?, args.view(1)?, args.view(2)?);
        macro_rules! count {
            ($kind:ident, $type:ty) => {{
                let (
                    TensorView::$kind { data: [start], .. },
                    TensorView::$kind { data: [end], .. },
                    TensorView::$kind { data: [step], .. },
                ) = (start, end, step)
                else {
                    return Err("its inputs are not three numbers of one type".to_owned());
                };
                let count = steps(*start as f64, *end as f64, *step as f64, limit)?;
                let data: Vec<$type> = (0..count).map(|index| *start + index as $type * *step).collect();
                Ok(Tensor::new([count], Data::$kind(data)))
            }};
        }
        match start.dtype() {
            DType::F32 => count!(F32, f32),
            DType::F64 => count!(F64, f64),
            DType::I32 => count!(I32, i32),
            DType::I16 => count!(I16, i16),
            _ => count!(I64, i64),
        }
    }))
}

fn steps(start: f64, end: f64, step: f64, limit: usize) -> Result<usize, Reason> {
    let count = ((end - start) / step).ceil().max(0.0);
    if !count.is_finite() {
        return Err(format!("no steps of {step} lead from {start} to {end}"));
    }
    elements(&[count as usize], limit)
}
