//! The inverse of a pool of largest elements: each goes back to its place, among zeros.

use burn_backend::Backend;

use super::super::{
    super::{
        DType, Tensor,
        plan::{Kernel, Reason},
        tensor::Element,
    },
    Refusal, Spec,
    broadcast::{elements, strides, walk},
    float::{Float, each_float},
    select::sizes,
    sliding::{Axis, Sliding},
};

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

pub(super) fn unpool<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sliding = Sliding::new(spec)?;
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let pooled = args.view(0)?.shape();
        let shape = unpooled(pooled, &sliding)?;
        let asked = if args.has(2) { sizes(args.i64(2)?, rank)?.to_vec() } else { shape.clone() };
        if asked.len() != shape.len() || shape.iter().zip(&asked).any(|(size, asked)| size > asked) {
            return Err(format!("an output of shape {asked:?} does not hold the pooled {shape:?}"));
        }
        elements(&asked, limit)?;
        if args.view(1)?.shape() != pooled {
            return Err(format!("places of shape {:?} do not fit {pooled:?}", args.view(1)?.shape()));
        }
        each_float!(args.dtype(0)?, F => {
            let data = scattered::<F>(args.elements(0)?, args.i64(1)?, &shape)?;
            Ok(Tensor { data: F::data(framed(data, &shape, &asked)), shape: asked })
        })
    }))
}

/// The shape that a pool made the shape `pooled` of.
fn unpooled(pooled: &[usize], sliding: &Sliding) -> Result<Vec<usize>, Reason> {
    let (Some((outer, sizes)), Some(kernel)) = (pooled.split_at_checked(2), &sliding.kernel) else {
        return Err(format!("a tensor of shape {pooled:?} has no planes"));
    };
    if kernel.len() != sizes.len() {
        return Err(format!("a window of {kernel:?} does not slide over {sizes:?}"));
    }
    let mut shape = outer.to_vec();
    for (at, (&size, &kernel)) in sizes.iter().zip(kernel).enumerate() {
        let (stride, (before, after)) =
            (sliding.stride(at, sizes.len())?, sliding.cropped(at, sizes.len(), 0, None)?);
        let steps = size.checked_sub(1).and_then(|steps| steps.checked_mul(stride));
        let whole = steps.and_then(|steps| steps.checked_add(kernel));
        let padding = Axis::padded(0, before, after)?;
        let inner = whole.and_then(|whole| whole.checked_sub(padding));
        shape.push(inner.ok_or_else(|| format!("{size} elements of a pool are not spread by {stride}"))?);
    }
    Ok(shape)
}

fn scattered<T: Float>(values: &[T], places: &[i64], shape: &[usize]) -> Result<Vec<T>, Reason> {
    let mut data = vec![T::zero(); shape.iter().product()];
    for (&value, &place) in values.iter().zip(places) {
        let target = usize::try_from(place).ok().and_then(|place| data.get_mut(place));
        *target.ok_or_else(|| format!("place {place} is outside of shape {shape:?}"))? = value;
    }
    Ok(data)
}

/// The tensor in the corner of a larger one.
fn framed<T: Float>(data: Vec<T>, shape: &[usize], wide: &[usize]) -> Vec<T> {
    if shape == wide {
        return data;
    }
    let mut frame = vec![T::zero(); wide.iter().product()];
    let mut values = data.into_iter();
    let steps = strides(wide, wide);
    walk(shape, [&steps], |[place]| {
        if let Some(value) = values.next() {
            frame[place] = value;
        }
    });
    frame
}
