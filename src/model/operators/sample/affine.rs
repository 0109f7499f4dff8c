//! The points of a regular grid, moved by an affine map.

use burn_backend::Backend;

use super::super::{
    super::{
        DType, Tensor,
        plan::{Kernel, Reason},
        tensor::Element,
    },
    Refusal, Spec,
    broadcast::elements,
    float::{Float, each_float},
    select::sizes,
};

/// Input 1 is a shape.
pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match (spec.dtype(0)?, spec.dtype(1)?) {
        (dtype, DType::I64) if dtype.is_float() => Ok(vec![dtype]),
        (dtype, _) => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

pub(super) fn grid<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let corners = spec.flag("align_corners", false)?;
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let (maps, size) = (args.shape(0)?, sizes(args.i64(1)?, rank)?);
        let (&[batch, _, ref sizes @ ..], count) = (&size[..], size.len().saturating_sub(2)) else {
            return Err(format!("shape {size:?} is none of an image"));
        };
        if !(2..=3).contains(&count) || maps[..] != [batch, count, count + 1] {
            return Err(format!("maps of shape {maps:?} do not fit an image of shape {size:?}"));
        }
        let shape = [&[batch], sizes, &[count]].concat();
        elements(&shape, limit)?;
        each_float!(args.dtype(0)?, F => {
            let data = moved::<F>(args.elements(0)?, sizes, corners)?;
            Ok(Tensor { shape, data: F::data(data) })
        })
    }))
}

/// The points in row-major order, each with its last dimension first.
fn moved<T: Float>(maps: &[T], sizes: &[usize], corners: bool) -> Result<Vec<T>, Reason> {
    let places: Vec<Vec<f64>> = sizes.iter().map(|&size| places(size, corners)).collect();
    let (count, rank) = (sizes.iter().product::<usize>(), sizes.len());
    let mut points = Vec::with_capacity(maps.len() / (rank + 1) * count);
    let mut point = vec![1.0; rank + 1];
    for map in maps.chunks_exact(rank * (rank + 1)) {
        for number in 0..count {
            let mut rest = number;
            for (at, places) in places.iter().rev().enumerate() {
                point[at] = places[rest % places.len()];
                rest /= places.len();
            }
            points.extend(map.chunks_exact(rank + 1).map(|row| {
                T::nearest(row.iter().zip(&point).map(|(&factor, place)| factor.into() * place).sum())
            }));
        }
    }
    Ok(points)
}

/// Places evenly spaced from -1 to 1, at the ends or in the middle of as many parts.
fn places(size: usize, corners: bool) -> Vec<f64> {
    let place = |at: usize| match (corners, size) {
        (true, 1) => 0.0,
        (true, _) => 2.0 * at as f64 / (size - 1) as f64 - 1.0,
        (false, _) => (2 * at + 1) as f64 / size as f64 - 1.0,
    };
    (0..size).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_at_the_corners_or_between_them() {
        assert_eq!(places(3, true), [-1.0, 0.0, 1.0]);
        assert_eq!(places(2, false), [-0.5, 0.5]);
        assert_eq!(places(1, true), [0.0]);
    }
}
