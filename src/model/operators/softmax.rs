//! Softmax and its kin, and clipping.

use burn_backend::{Backend, Shape};

use super::{
    super::{
        DType, Data, TensorView,
        plan::{Given, Kernel, Reason},
    },
    Operator, Refusal, Spec, axis,
    number::Number,
    on_backend,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Softmax" | "LogSoftmax" => Operator { types: float_types, kernel: softmax },
        "Clip" => Operator { types: clip_types, kernel: clip },
        _ => return None,
    })
}

fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn clip_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compare {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn softmax<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let log = spec.op().name == "LogSoftmax";
    // Before version 13 all dimensions from the axis on were taken together.
    let together = spec.version() < 13;
    let at = spec.int("axis", if together { 1 } else { -1 })?;
    let small = spec.loop_elements();
    Ok(Kernel::anywhere(move |args| {
        let shape = args.shape(0)?;
        let at =
            if together && at == shape.len() as i64 { shape.len() } else { axis(at, shape.len().max(1))? };
        let before: usize = shape[..at.min(shape.len())].iter().product();
        let (along, after) = match (together, shape.is_empty()) {
            (_, true) => (1, 1),
            (true, _) => (shape[at..].iter().product(), 1),
            (false, _) => (shape[at], shape[at + 1..].iter().product()),
        };
        if args.at_home(0).is_none() || on_backend(&shape, small) {
            let flat = B::float_reshape(args.float(0)?, Shape::new([before, along, after]));
            let done = if log { B::log_softmax(flat, 1) } else { B::softmax(flat, 1) };
            return Ok(Given::Float(B::float_reshape(done, Shape::from(shape.to_vec()))));
        }
        let mut tensor = args.take(0)?;
        match &mut tensor.data {
            Data::F32(data) => each(data, along, after, |group| softmax_f32(group, log)),
            Data::F64(data) => each(data, along, after, |group| softmax_f64(group, log)),
            other => return Err(format!("it does not compute with {}", other.dtype())),
        }
        Ok(tensor.into())
    }))
}

/// Calls `f` with each group of elements along an axis.
pub(super) fn each<T: Number>(data: &mut [T], along: usize, after: usize, f: impl Fn(&mut [T])) {
    if after == 1 {
        return data.chunks_exact_mut(along.max(1)).for_each(f);
    }
    let mut group = Vec::with_capacity(along);
    for block in data.chunks_exact_mut((along * after).max(1)) {
        for offset in 0..after {
            group.clear();
            group.extend((0..along).map(|index| block[index * after + offset]));
            f(&mut group);
            for (index, value) in group.iter().enumerate() {
                block[index * after + offset] = *value;
            }
        }
    }
}

macro_rules! softmax {
    ($name:ident, $type:ty) => {
        /// Softmax of one group, in place.
        pub(super) fn $name(group: &mut [$type], log: bool) {
            let most = group.iter().copied().fold(<$type>::NEG_INFINITY, <$type>::max);
            let mut sum = 0.0;
            if log {
                group.iter_mut().for_each(|value| {
                    *value -= most;
                    sum += value.exp();
                });
                let shift = sum.ln();
                return group.iter_mut().for_each(|value| *value -= shift);
            }
            group.iter_mut().for_each(|value| {
                *value = (*value - most).exp();
                sum += *value;
            });
            group.iter_mut().for_each(|value| *value /= sum);
        }
    };
}

softmax!(softmax_f32, f32);
softmax!(softmax_f64, f64);

fn clip<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    // Before version 11 the bounds are attributes.
    let fixed = spec.version() < 11;
    let (low, high) = (spec.float("min", f32::MIN)?, spec.float("max", f32::MAX)?);
    Ok(Kernel::host(move |args| {
        let mut tensor = args.take(0)?;
        macro_rules! clip {
            ($kind:ident, $data:expr) => {{
                let bound = |index| {
                    bound(args.has(index).then(|| args.view(index)), |view| match view {
                        TensorView::$kind { data: [bound], .. } => Some(*bound),
                        _ => None,
                    })
                };
                let (low, high) = if fixed {
                    (Some(Number::of_f64(low.into())), Some(Number::of_f64(high.into())))
                } else {
                    (bound(1)?, bound(2)?)
                };
                clamp($data, low, high);
            }};
        }
        match &mut tensor.data {
            Data::F32(data) => clip!(F32, data),
            Data::F64(data) => clip!(F64, data),
            Data::I64(data) => clip!(I64, data),
            Data::I32(data) => clip!(I32, data),
            Data::I16(data) => clip!(I16, data),
            Data::I8(data) => clip!(I8, data),
            Data::U64(data) => clip!(U64, data),
            Data::U32(data) => clip!(U32, data),
            Data::U16(data) => clip!(U16, data),
            Data::U8(data) => clip!(U8, data),
            other => return Err(format!("it does not compare {}", other.dtype())),
        }
        Ok(tensor)
    }))
}

fn bound<'v, T>(
    view: Option<Result<TensorView<'v>, Reason>>,
    read: impl Fn(TensorView<'v>) -> Option<T>,
) -> Result<Option<T>, Reason> {
    match view {
        None => Ok(None),
        Some(view) => {
            read(view?).map(Some).ok_or_else(|| "a bound is not one number of the input's type".to_owned())
        }
    }
}

fn clamp<T: Number>(data: &mut [T], low: Option<T>, high: Option<T>) {
    for value in data {
        if let Some(low) = low
            && *value < low
        {
            *value = low;
        }
        if let Some(high) = high
            && *value > high
        {
            *value = high;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_along_a_middle_axis() {
        let mut data = [0.0_f64, 5.0, 0.0, 5.0];
        each(&mut data, 2, 2, |group| softmax_f64(group, false));
        assert_eq!(data, [0.5; 4]);
        let mut data = [1000.0_f32, 1000.0];
        softmax_f32(&mut data, true);
        assert_eq!(data, [-(2.0_f32.ln()); 2]);
    }

    #[test]
    fn bounds_leave_nan() {
        let mut data = [f32::NAN, -2.0, 2.0];
        clamp(&mut data, Some(-1.0), Some(1.0));
        assert!(data[0].is_nan());
        assert_eq!(data[1..], [-1.0, 1.0]);
    }
}
