//! Normalisation by the root mean square of all dimensions from an axis on.

use burn_backend::Backend;

use super::{
    super::{
        super::{
            DType, Tensor,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec, axis,
        cast::convert,
        float::{Float, each_float},
    },
    check_stash, is_half,
    layer::Factors,
    sum,
};

/// The result is of the scale's type. Where all is of 16 bits that is left to wider floats.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    check_stash(spec)?;
    for dtype in [spec.dtype(0)?, spec.dtype(1)?] {
        if is_half(spec) || !(dtype.is_float() || dtype == DType::F16) {
            return Err(Refusal::invalid(format!("it does not compute with {dtype}")));
        }
    }
    Ok(vec![spec.dtype(1)?])
}

pub(super) fn root<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", -1)?;
    let epsilon = f64::from(spec.float("epsilon", 1e-5)?);
    Ok(Kernel::host(move |args| {
        let mut tensor = args.take(0)?;
        if tensor.dtype() == DType::F16 {
            tensor = convert(tensor, DType::F32)?;
        }
        let at = axis(at, tensor.shape.len())?;
        each_float!(tensor.dtype(), F => normalize::<F, B>(args, &mut tensor, at, epsilon))?;
        convert(tensor, args.dtype(1)?)
    }))
}

fn normalize<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    tensor: &mut Tensor,
    at: usize,
    epsilon: f64,
) -> Result<(), Reason> {
    let scale = Factors::<T>::new(args.view(1)?, &tensor.shape, at)?;
    let columns: usize = tensor.shape[at..].iter().product();
    let mut data = T::owned(tensor.data.take())?;
    for (number, row) in data.chunks_exact_mut(columns.max(1)).enumerate() {
        let square = sum(row, |value| value * value) / columns as f64;
        let inverse = (square + epsilon).sqrt().recip();
        for (value, &scale) in row.iter_mut().zip(scale.of_row(number, columns)) {
            *value = T::nearest((*value).into() * inverse) * scale;
        }
    }
    tensor.data = T::data(data);
    Ok(())
}
