//! Picking elements by their places, whatever their type.

use std::borrow::Cow;

use super::{
    super::{TensorView, plan::Reason},
    broadcast::{Dims, row_major, walk},
};

/// Elements before, along and after an axis.
pub(super) fn around(shape: &[usize], at: usize) -> (usize, usize, usize) {
    (shape[..at].iter().product(), shape[at], shape[at + 1..].iter().product())
}

/// An index that may count from the end.
pub(super) fn place(index: i64, size: usize) -> Result<usize, Reason> {
    let at = if index < 0 { index + size as i64 } else { index };
    usize::try_from(at)
        .ok()
        .filter(|&at| at < size)
        .ok_or_else(|| format!("index {index} is outside of {size}"))
}

pub(super) fn indices(view: TensorView<'_>, size: usize) -> Result<Vec<usize>, Reason> {
    match view {
        TensorView::I64 { data, .. } => data.iter().map(|&index| place(index, size)).collect(),
        TensorView::I32 { data, .. } => data.iter().map(|&index| place(index.into(), size)).collect(),
        other => Err(format!("its indices are {}", other.dtype())),
    }
}

/// Picks along an axis: for each of `before`, the blocks of `after` elements at the given places.
pub(super) fn pick<T: Clone>(
    data: &[T],
    (before, along, after): (usize, usize, usize),
    at: &[usize],
) -> Vec<T> {
    let mut out = Vec::with_capacity(before * at.len() * after);
    for block in 0..before {
        for index in at {
            let start = (block * along + index) * after;
            out.extend_from_slice(&data[start..start + after]);
        }
    }
    out
}

/// Makes an axis one of `count` places: each is that of the tensor which `source` tells, or `fill`.
fn pick_or<T: Clone>(
    data: &[T],
    (before, along, after): (usize, usize, usize),
    count: usize,
    source: impl Fn(usize) -> Option<usize>,
    fill: &T,
) -> Vec<T> {
    let mut out = vec![fill.clone(); before * count * after];
    for place in 0..count {
        let Some(from) = source(place) else { continue };
        for block in 0..before {
            let (to, from) = ((block * count + place) * after, (block * along + from) * after);
            out[to..to + after].clone_from_slice(&data[from..from + after]);
        }
    }
    out
}

/// Makes a tensor one of another shape along some axes. `source` tells the place along an axis that one of the result is
/// that of; it is `fill` if there is none.
pub(super) fn pick_along<T: Clone>(
    data: &[T],
    (old, new): (&[usize], &[usize]),
    axes: impl Iterator<Item = usize>,
    source: impl Fn(usize, usize) -> Option<usize>,
    fill: &T,
) -> Vec<T> {
    let mut now: Dims = old.into();
    let mut picked = Cow::Borrowed(data);
    for at in shrinking_first(axes, old, new) {
        let along = |place| source(at, place);
        picked = Cow::Owned(pick_or(&picked, around(&now, at), new[at], along, fill));
        now[at] = new[at];
    }
    picked.into_owned()
}

/// The axes in an order in which nothing in between is larger than what one begins with, or ends with.
pub(super) fn shrinking_first(axes: impl Iterator<Item = usize>, old: &[usize], new: &[usize]) -> Dims {
    let mut axes: Dims = axes.collect();
    axes.sort_by_key(|&at| new[at] > old[at]);
    axes
}

/// The elements at the given places.
pub(super) fn found<T: Clone>(data: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&place| data[place].clone()).collect()
}

/// The elements that a walk over `shape` with these steps comes by.
pub(super) fn walked<T: Clone>(data: &[T], shape: &[usize], steps: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(shape.iter().product());
    walk(shape, [steps], |[place]| out.push(data[place].clone()));
    out
}

/// Integers of either width.
pub(super) fn ints(view: TensorView<'_>) -> Result<Vec<i64>, Reason> {
    match view {
        TensorView::I64 { data, .. } => Ok(data.to_vec()),
        TensorView::I32 { data, .. } => Ok(data.iter().map(|&value| value.into()).collect()),
        other => Err(format!("{} where integers are needed", other.dtype())),
    }
}

/// For each index along an axis, the place of the element that it means.
pub(super) fn places_along(old: &[usize], chosen: TensorView<'_>, at: usize) -> Result<Vec<usize>, Reason> {
    let new = chosen.shape();
    let fits = |(axis, (&new, &old)): (usize, (&usize, &usize))| axis == at || new <= old;
    if new.len() != old.len() || !new.iter().zip(old).enumerate().all(fits) {
        return Err(format!("indices of shape {new:?} do not fit a tensor of shape {old:?}"));
    }
    let indices = indices(chosen, old[at])?;
    let mut steps = row_major(old);
    let along = std::mem::take(&mut steps[at]);
    let mut places = Vec::with_capacity(indices.len());
    walk(new, [&steps], |[place]| places.push(place));
    places.iter_mut().zip(indices).for_each(|(place, index)| *place += index * along);
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_may_count_from_the_end() {
        assert_eq!(place(-1, 3), Ok(2));
        assert_eq!(place(3, 3).unwrap_err(), "index 3 is outside of 3");
        assert_eq!(pick(&[1, 2, 3, 4, 5, 6], (2, 3, 1), &[2, 0]), [3, 1, 6, 4]);
    }
}
