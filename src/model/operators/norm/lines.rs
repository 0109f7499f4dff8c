//! Normalisation along one axis by a norm, and over several by mean and deviation.

use burn_backend::Backend;

use super::super::{
    super::{
        Tensor,
        plan::{Kernel, Reason},
        tensor::Element,
    },
    Refusal, Spec, axis,
    broadcast::{strides, walk},
    float::{Float, each_float},
};

pub(super) fn norm<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", -1)?;
    let squares = match spec.int("p", 2)? {
        1 => false,
        2 => true,
        p => return Err(Refusal::invalid(format!("attribute `p` is {p}, not 1 or 2"))),
    };
    Ok(Kernel::host(move |args| {
        let tensor = args.take(0)?;
        let groups = Groups::new(&tensor.shape, &[at])?;
        each_float!(tensor.dtype(), F => {
            let mut data = F::owned(tensor.data)?;
            let of = |value: f64| if squares { value * value } else { value.abs() };
            let mut norms = groups.sums(&data, of);
            if squares {
                norms.iter_mut().for_each(|norm| *norm = norm.sqrt());
            }
            groups.each(&mut data, |group, value| if norms[group] == 0.0 { 0.0 } else { value / norms[group] });
            Ok(Tensor { shape: tensor.shape, data: F::data(data) })
        })
    }))
}

/// Added to a deviation, which may be zero.
const EPSILON: f64 = 1e-9;

pub(super) fn standard<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let axes = spec.ints("axes")?.unwrap_or(&[0, 2, 3]).to_vec();
    Ok(Kernel::host(move |args| {
        let tensor = args.take(0)?;
        let groups = Groups::new(&tensor.shape, &axes)?;
        each_float!(tensor.dtype(), F => {
            let mut data = F::owned(tensor.data)?;
            let count = groups.size as f64;
            let mut means = groups.sums(&data, |value| value);
            means.iter_mut().for_each(|sum| *sum /= count);
            groups.each(&mut data, |group, value| value - means[group]);
            let mut deviations = groups.sums(&data, |value| value * value);
            deviations.iter_mut().for_each(|sum| *sum = (*sum / count).sqrt() + EPSILON);
            groups.each(&mut data, |group, value| value / deviations[group]);
            Ok(Tensor { shape: tensor.shape, data: F::data(data) })
        })
    }))
}

/// Which elements of a tensor are normalised together.
struct Groups<'s> {
    shape: &'s [usize],
    /// The shape with one element where dimensions are folded.
    kept: Vec<usize>,
    /// Elements of a group.
    size: usize,
}

impl<'s> Groups<'s> {
    fn new(shape: &'s [usize], axes: &[i64]) -> Result<Self, Reason> {
        let mut kept = shape.to_vec();
        for &at in axes {
            kept[axis(at, shape.len())?] = 1;
        }
        let size = shape.iter().zip(&kept).filter(|(_, kept)| **kept == 1).map(|(size, _)| size).product();
        Ok(Groups { shape, kept, size })
    }

    /// For each group the sum of what `of` makes of its elements.
    fn sums<T: Float>(&self, data: &[T], of: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.kept.iter().product()];
        let mut values = data.iter();
        walk(self.shape, [&strides(&self.kept, self.shape)], |[group]| {
            if let Some(&value) = values.next() {
                sums[group] += of(value.into());
            }
        });
        sums
    }

    /// Replaces each element by what `of` makes of it and its group.
    fn each<T: Float>(&self, data: &mut [T], of: impl Fn(usize, f64) -> f64) {
        let mut values = data.iter_mut();
        walk(self.shape, [&strides(&self.kept, self.shape)], |[group]| {
            if let Some(value) = values.next() {
                *value = T::nearest(of(group, (*value).into()));
            }
        });
    }
}
