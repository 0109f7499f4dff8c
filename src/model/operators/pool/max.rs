//! The largest element of each window, and where it is.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::{
        super::{DType, Tensor, TensorView, plan::Kernel, tensor::Element},
        Refusal, Spec,
        number::Number,
        sliding::{Axis, Sliding, each_element, gather},
    },
    Planes,
};

pub(super) fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F32 | DType::F64 | DType::I8 | DType::U8) => Ok(vec![dtype, DType::I64]),
        dtype => Err(Refusal::invalid(format!("it does not compare {dtype}"))),
    }
}

pub(super) fn max<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sliding = Sliding::new(spec)?;
    let columns_first = spec.flag("storage_order", false)?;
    let wants_places = spec.gives(1);
    let limit = spec.limits().elements;
    Ok(Kernel::host_many(move |args| {
        let view = args.view(0)?;
        let planes = Planes::new(view.shape(), &sliding, limit)?;
        planes.check_padding()?;
        let places = wants_places.then_some(columns_first);
        match view {
            TensorView::F32 { data, .. } => Ok(pool(&planes, data, places)),
            TensorView::F64 { data, .. } => Ok(pool(&planes, data, places)),
            TensorView::I8 { data, .. } => Ok(pool(&planes, data, places)),
            TensorView::U8 { data, .. } => Ok(pool(&planes, data, places)),
            other => Err(format!("it does not compare {}", other.dtype())),
        }
    }))
}

/// The pooled tensor and, where places are wanted, the one of places: with those of a column together, or of a row.
fn pool<T: Number + Element>(
    planes: &Planes,
    data: &[T],
    places: Option<bool>,
) -> smallvec::SmallVec<[Tensor; 2]> {
    let tensor = |values| Tensor { shape: planes.shape.clone(), data: T::data(values) };
    match places {
        None => smallvec![tensor(largest(planes, data))],
        Some(columns_first) => {
            let places = places_of_largest(planes, data);
            let values = places.iter().map(|&place| data[place]).collect();
            let place = |&place: &usize| {
                (place - place % planes.size + numbered(planes, place % planes.size, columns_first)) as i64
            };
            let places = places.iter().map(place).collect();
            smallvec![tensor(values), Tensor::i64(planes.shape.clone(), places)]
        }
    }
}

/// NaN wins.
fn largest<T: Number>(planes: &Planes, data: &[T]) -> Vec<T> {
    let mut output = vec![T::of_f64(f64::NEG_INFINITY); planes.shape.iter().product()];
    for (plane, output) in data.chunks_exact(planes.size).zip(output.chunks_exact_mut(planes.out)) {
        each_element(&planes.axes, |element| {
            gather(&planes.axes, element, plane, output, &|most: &mut T, value: T| {
                if value > *most || value.is_nan() {
                    *most = value;
                }
            });
        });
    }
    output
}

/// The place of the first of the largest elements in the whole tensor.
fn places_of_largest<T: Number>(planes: &Planes, data: &[T]) -> Vec<usize> {
    let within: Vec<usize> = (0..planes.size).collect();
    let mut output = vec![usize::MAX; planes.shape.iter().product()];
    for (plane, output) in output.chunks_exact_mut(planes.out).enumerate() {
        let start = plane * planes.size;
        each_element(&planes.axes, |element| {
            gather(&planes.axes, element, &within, output, &|best: &mut usize, place: usize| {
                let value = data[start + place];
                let better =
                    data.get(*best).is_none_or(|&held| value > held || (value.is_nan() && !held.is_nan()));
                if better {
                    *best = start + place;
                }
            });
        });
    }
    output
}

/// The number of an element of a plane, counted along its first dimension or its last.
fn numbered(planes: &Planes, place: usize, columns_first: bool) -> usize {
    if !columns_first {
        return place;
    }
    let mut rest = place;
    let mut number = 0;
    for Axis { size, .. } in planes.axes.iter().rev() {
        number = number * size + rest % size;
        rest /= size;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_numbered_along_the_columns_too() {
        let axis = |size| Axis { size, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, out: size };
        let planes = Planes { axes: smallvec![axis(2), axis(3)], size: 6, out: 6, shape: vec![1, 1, 2, 3] };
        let numbers: Vec<_> = (0..6).map(|place| numbered(&planes, place, true)).collect();
        assert_eq!(numbers, [0, 2, 4, 1, 3, 5]);
    }
}
