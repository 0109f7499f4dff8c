//! The mean of each window, and its norm.

use burn_backend::Backend;

use super::{
    super::{
        super::{Tensor, plan::Kernel, tensor::Element},
        Refusal, Spec,
        float::{Float, each_float},
        sliding::{Sliding, each_element, gather},
    },
    Planes,
};

pub(super) fn average<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sliding = Sliding::new(spec)?;
    let counts_padding = spec.flag("count_include_pad", false)?;
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let planes = Planes::new(args.view(0)?.shape(), &sliding, limit)?;
        if !counts_padding {
            planes.check_padding()?;
        }
        each_float!(args.dtype(0)?, F => {
            let means = means::<F>(&planes, args.elements(0)?, counts_padding);
            Ok(Tensor { shape: planes.shape, data: F::data(means) })
        })
    }))
}

pub(super) fn norm<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (sliding, power) = (Sliding::new(spec)?, power(spec)?);
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let planes = Planes::new(args.view(0)?.shape(), &sliding, limit)?;
        each_float!(args.dtype(0)?, F => {
            let norms = norms::<F>(&planes, args.elements(0)?, power);
            Ok(Tensor { shape: planes.shape, data: F::data(norms) })
        })
    }))
}

/// The power of a norm.
pub(super) fn power(spec: &Spec<'_>) -> Result<i32, Refusal> {
    let power = spec.int("p", 2)?;
    let whole = i32::try_from(power).ok().filter(|&power| power > 0);
    whole.ok_or_else(|| Refusal::invalid(format!("attribute `p` is {power}, which is no power of a norm")))
}

/// What a norm adds up.
pub(super) fn raised<T: Float>(value: T, power: i32) -> T {
    match power {
        1 => value.abs(),
        2 => value * value,
        _ => value.abs().powi(power),
    }
}

/// The norm of what is added up.
pub(super) fn root<T: Float>(sum: T, power: i32) -> T {
    match power {
        1 => sum,
        2 => sum.sqrt(),
        _ => sum.powf(T::nearest(f64::from(power).recip())),
    }
}

fn sums<T: Float>(planes: &Planes, data: &[T], of: impl Fn(T) -> T) -> Vec<T> {
    let mut output = vec![T::zero(); planes.shape.iter().product()];
    for (plane, output) in data.chunks_exact(planes.size).zip(output.chunks_exact_mut(planes.out)) {
        each_element(&planes.axes, |element| {
            let add = |sum: &mut T, value: T| *sum = *sum + of(value);
            gather(&planes.axes, element, plane, output, &add);
        });
    }
    output
}

fn means<T: Float>(planes: &Planes, data: &[T], counts_padding: bool) -> Vec<T> {
    let mut output = sums(planes, data, |value| value);
    let counts: Vec<T> = counts(planes, counts_padding).into_iter().map(T::nearest).collect();
    for output in output.chunks_exact_mut(planes.out) {
        output.iter_mut().zip(&counts).for_each(|(sum, count)| *sum = *sum / *count);
    }
    output
}

fn norms<T: Float>(planes: &Planes, data: &[T], power: i32) -> Vec<T> {
    let mut output = sums(planes, data, |value| raised(value, power));
    output.iter_mut().for_each(|sum| *sum = root(*sum, power));
    output
}

/// For each place how many elements the window holds.
fn counts(planes: &Planes, counts_padding: bool) -> Vec<f64> {
    let mut counts = vec![1.0];
    for axis in &planes.axes {
        let along = |place| if counts_padding { axis.inside_padded(place) } else { axis.inside(place) };
        let along: Vec<f64> = (0..axis.out).map(|place| along(place) as f64).collect();
        counts = counts.iter().flat_map(|before| along.iter().map(move |count| before * count)).collect();
    }
    counts
}
