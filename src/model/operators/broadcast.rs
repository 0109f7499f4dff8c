//! Shapes that are stretched to fit each other, and loops over them.

use smallvec::SmallVec;

use super::super::{Error, Limits, plan::Reason};

/// Sizes of a tensor's dimensions, on the stack for ordinary ranks.
pub(super) type Dims = SmallVec<[usize; 8]>;

/// The shape that both fit, as numpy's broadcasting defines it.
pub(super) fn broadcast(left: &[usize], right: &[usize]) -> Result<Dims, Reason> {
    let rank = left.len().max(right.len());
    let size =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let dim = |axis| match (size(left, axis), size(right, axis)) {
        (left, right) if left == right => Ok(left),
        (1, size) | (size, 1) => Ok(size),
        _ => Err(format!("shapes {left:?} and {right:?} do not fit each other")),
    };
    (0..rank).map(dim).collect()
}

/// Number of elements of a computed shape, if it is within the limit. So is that of any of its dimensions, even if
/// another is of size zero: loops over some of them end, and products of their sizes do not overflow.
pub(super) fn elements(shape: &[usize], limit: usize) -> Result<usize, Reason> {
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size.max(1)));
    Error::limit("the number of elements of its result", count.unwrap_or(usize::MAX), limit)
        .map_err(|error| error.to_string())?;
    Ok(shape.iter().product())
}

/// Number of elements of a computed shape, if both it and that of the dimensions are within the limits.
pub(super) fn bounded(shape: &[usize], limits: &Limits) -> Result<usize, Reason> {
    Error::limit("the number of dimensions of its result", shape.len(), limits.rank)
        .map_err(|error| error.to_string())?;
    elements(shape, limits.elements)
}

/// How far to step in a tensor of `shape` for a step along each axis of `wide`: 0 where it is stretched.
pub(super) fn strides(shape: &[usize], wide: &[usize]) -> Dims {
    let mut strides: Dims = SmallVec::from_elem(0, wide.len());
    let mut stride = 1;
    for (axis, &size) in shape.iter().enumerate().rev() {
        if size != 1 {
            strides[axis + wide.len() - shape.len()] = stride;
        }
        stride *= size;
    }
    strides
}

/// How far to step in a tensor of `shape` for a step along each of its axes.
pub(super) fn row_major(shape: &[usize]) -> Dims {
    let mut steps: Dims = SmallVec::from_elem(1, shape.len());
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis];
    }
    steps
}

/// Calls `visit` with the offset of each element of `wide`, in row-major order.
pub(super) fn walk<const N: usize>(
    wide: &[usize],
    strides: [&[usize]; N],
    mut visit: impl FnMut([usize; N]),
) {
    let count: usize = wide.iter().product();
    let mut index: Dims = SmallVec::from_elem(0, wide.len());
    let mut offsets = [0; N];
    for _ in 0..count {
        visit(offsets);
        for axis in (0..wide.len()).rev() {
            index[axis] += 1;
            for (offset, strides) in offsets.iter_mut().zip(strides) {
                *offset += strides[axis];
            }
            if index[axis] < wide[axis] {
                break;
            }
            for (offset, strides) in offsets.iter_mut().zip(strides) {
                *offset -= strides[axis] * wide[axis];
            }
            index[axis] = 0;
        }
    }
}

/// A borrowed tensor of one type.
pub(super) type Of<'t, T> = (&'t [usize], &'t [T]);

/// Applies `f` to the pairs of numbers of two tensors that are stretched to fit each other.
pub(super) fn zip<T: Copy, U>(
    left: Of<'_, T>,
    right: Of<'_, T>,
    wide: &[usize],
    f: impl Fn(T, T) -> U,
) -> Vec<U> {
    zip_by(left, right, wide, |left, right| f(*left, *right))
}

/// Applies `f` to the pairs of elements of two tensors that are stretched to fit each other.
pub(super) fn zip_by<T, U>(
    (left_shape, left): Of<'_, T>,
    (right_shape, right): Of<'_, T>,
    wide: &[usize],
    f: impl Fn(&T, &T) -> U,
) -> Vec<U> {
    if left_shape == right_shape {
        return left.iter().zip(right).map(|(left, right)| f(left, right)).collect();
    }
    if let [right] = right
        && left.len() == wide.iter().product::<usize>()
    {
        return left.iter().map(|left| f(left, right)).collect();
    }
    if !right.is_empty() && left_shape == wide && left_shape.ends_with(right_shape) {
        let rows = left.chunks_exact(right.len());
        return rows.flat_map(|row| row.iter().zip(right).map(|(left, right)| f(left, right))).collect();
    }
    let mut out = Vec::with_capacity(wide.iter().product());
    let (left_strides, right_strides) = (strides(left_shape, wide), strides(right_shape, wide));
    walk(wide, [&left_strides, &right_strides], |[at_left, at_right]| {
        out.push(f(&left[at_left], &right[at_right]))
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_stretch_where_one_is_of_size_one() {
        assert_eq!(broadcast(&[2, 1], &[3]).unwrap().as_slice(), [2, 3]);
        assert_eq!(broadcast(&[], &[0, 4]).unwrap().as_slice(), [0, 4]);
        assert_eq!(broadcast(&[2], &[3]).unwrap_err(), "shapes [2] and [3] do not fit each other");
    }

    #[test]
    fn pairs_of_a_column_and_a_row() {
        let wide = [2, 3];
        let pairs = zip((&[2, 1], &[10, 20]), (&[3], &[1, 2, 3]), &wide, |left, right| left + right);
        assert_eq!(pairs, [11, 12, 13, 21, 22, 23]);
        let pairs = zip((&[2, 2], &[1, 2, 3, 4]), (&[2], &[10, 20]), &[2, 2], |left, right| left + right);
        assert_eq!(pairs, [11, 22, 13, 24]);
        let pairs = zip((&[1], &[10]), (&[2, 2], &[1, 2, 3, 4]), &[2, 2], |left, right| left - right);
        assert_eq!(pairs, [9, 8, 7, 6]);
    }

    #[test]
    fn a_result_over_the_limit_is_refused_before_it_is_made() {
        assert_eq!(elements(&[2, 3], 6), Ok(6));
        assert!(elements(&[2, 3], 5).is_err());
        assert!(elements(&[usize::MAX, 3], 5).is_err());
        assert_eq!(elements(&[0, 3], 5), Ok(0));
        assert!(elements(&[0, 6], 5).is_err());
    }
}
