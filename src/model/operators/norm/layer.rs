//! Layer normalisation: over all dimensions from an axis on.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::{
        super::{
            DType, Tensor, TensorView,
            plan::{Args, Kernel, Reason},
        },
        Refusal, Spec, axis,
        broadcast::{broadcast, strides, walk},
        cast::convert,
        float::{Float, each_float, nearest, shared_float},
    },
    check_stash, is_half, moments,
};

/// The moments are 32-bit floats, also those of 16-bit ones.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    check_stash(spec)?;
    let moments = spec.gives(1) || spec.gives(2);
    let dtype = if moments && is_half(spec) { DType::F16 } else { shared_float(spec)? };
    Ok(vec![dtype, DType::F32, DType::F32])
}

pub(super) fn layer<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", -1)?;
    let epsilon = f64::from(spec.float("epsilon", 1e-5)?);
    Ok(Kernel::host_many(move |args| {
        let mut tensor = args.take(0)?;
        let dtype = tensor.dtype();
        if dtype == DType::F16 {
            tensor = convert(tensor, DType::F32)?;
        }
        let at = axis(at, tensor.shape.len())?;
        let mut kept = tensor.shape.clone();
        kept[at..].fill(1);
        let all = each_float!(tensor.dtype(), F => normalize::<F, B>(args, &mut tensor, at, epsilon))?;
        let (means, inverses) = all.into_iter().map(|(mean, inverse)| (mean as f32, inverse as f32)).unzip();
        Ok(smallvec![convert(tensor, dtype)?, Tensor::f32(kept.clone(), means), Tensor::f32(kept, inverses)])
    }))
}

/// Normalises each row in place; the moments of each.
fn normalize<T: Float, B: Backend>(
    args: &Args<'_, '_, B>,
    tensor: &mut Tensor,
    at: usize,
    epsilon: f64,
) -> Result<Vec<(f64, f64)>, Reason> {
    let scale = Factors::<T>::new(args.view(1)?, &tensor.shape, at)?;
    let bias = match args.has(2) {
        true => Factors::new(args.view(2)?, &tensor.shape, at)?,
        false => Factors(vec![T::zero(); scale.0.len()]),
    };
    let columns: usize = tensor.shape[at..].iter().product();
    let mut data = T::owned(tensor.data.take())?;
    let rows = data.chunks_exact_mut(columns.max(1)).enumerate();
    let of_row = |(number, row): (usize, &mut [T])| {
        let (mean, inverse) = moments(row, epsilon);
        let factors = scale.of_row(number, columns).iter().zip(bias.of_row(number, columns));
        for (value, (&scale, &bias)) in row.iter_mut().zip(factors) {
            *value = T::nearest(((*value).into() - mean) * inverse) * scale + bias;
        }
        (mean, inverse)
    };
    let all = rows.map(of_row).collect();
    tensor.data = T::data(data);
    Ok(all)
}

/// A scale or a bias: for each element of a row, or of the whole tensor.
pub(super) struct Factors<T>(Vec<T>);

impl<T: Float> Factors<T> {
    pub(super) fn new(view: TensorView<'_>, shape: &[usize], at: usize) -> Result<Self, Reason> {
        let wide = if view.shape().len() <= shape.len() - at { &shape[at..] } else { shape };
        if broadcast(view.shape(), wide)?[..] != *wide {
            return Err(format!("a scale or bias of shape {:?} does not fit {shape:?}", view.shape()));
        }
        let data = nearest::<T>(view)?;
        if view.shape() == wide {
            return Ok(Factors(data));
        }
        let mut factors = Vec::with_capacity(wide.iter().product());
        walk(wide, [&strides(view.shape(), wide)], |[place]| factors.push(data[place]));
        Ok(Factors(factors))
    }

    /// Those of a row.
    pub(super) fn of_row(&self, number: usize, columns: usize) -> &[T] {
        if self.0.len() == columns { &self.0 } else { &self.0[number * columns..][..columns] }
    }
}
