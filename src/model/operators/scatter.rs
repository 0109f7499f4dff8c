//! Operators that write into a tensor at given places, and one that reads from there.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView,
        plan::{Kernel, Reason},
        tensor::{Element, each_number, each_view},
    },
    Operator, Refusal, Spec, axis,
    broadcast::{bounded, row_major},
    number::Number,
    pick::{around, found, ints, place, places_along},
    select::first_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "ScatterElements" | "Scatter" => Operator { types: scatter_types, kernel: scatter_elements },
        "ScatterND" => Operator { types: scatter_types, kernel: scatter_nd },
        "TensorScatter" => Operator { types: update_types, kernel: update },
        "GatherND" => Operator { types: first_type, kernel: gather_nd },
        _ => return None,
    })
}

/// What becomes of an element that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reduction {
    Replace,
    Add,
    Mul,
    Max,
    Min,
}

impl Reduction {
    fn of(spec: &Spec<'_>) -> Result<Reduction, Refusal> {
        Ok(match spec.text("reduction", "none")? {
            "none" => Reduction::Replace,
            "add" => Reduction::Add,
            "mul" => Reduction::Mul,
            "max" => Reduction::Max,
            "min" => Reduction::Min,
            other => return Err(Refusal::invalid(format!("it does not reduce by `{other}`"))),
        })
    }

    fn apply<T: Number>(self, held: T, new: T) -> T {
        match self {
            Reduction::Replace => new,
            Reduction::Add => held.add(new),
            Reduction::Mul => held.mul(new),
            Reduction::Max => Number::max(held, new),
            Reduction::Min => Number::min(held, new),
        }
    }
}

fn scatter_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (dtype, updates) = (spec.dtype(0)?, spec.dtype(2)?);
    if dtype != updates {
        return Err(Refusal::invalid(format!("it does not write {updates} into {dtype}")));
    }
    match dtype {
        DType::F16 | DType::Bool | DType::Str if Reduction::of(spec)? != Reduction::Replace => {
            Err(Refusal::unsupported(format!("reductions of {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

/// Writes each update at its place.
fn written(
    view: TensorView<'_>,
    updates: TensorView<'_>,
    places: impl Iterator<Item = usize>,
    by: Reduction,
) -> Result<Tensor, Reason> {
    let differ = || format!("it does not write {} into {}", updates.dtype(), view.dtype());
    let data = if by == Reduction::Replace {
        each_view!(view, data => {
            Element::data(replaced(data, updates.like(data).ok_or_else(differ)?, places))
        })
    } else {
        each_number!(view, data => {
            Element::data(reduced(data, updates.like(data).ok_or_else(differ)?, places, by))
        }, _other => return Err(differ()))
    };
    Ok(Tensor::new(view.shape(), data))
}

fn replaced<T: Clone>(data: &[T], updates: &[T], places: impl Iterator<Item = usize>) -> Vec<T> {
    let mut data = data.to_vec();
    places.zip(updates).for_each(|(place, update)| data[place].clone_from(update));
    data
}

fn reduced<T: Number>(
    data: &[T],
    updates: &[T],
    places: impl Iterator<Item = usize>,
    by: Reduction,
) -> Vec<T> {
    let mut data = data.to_vec();
    places.zip(updates).for_each(|(place, update)| data[place] = by.apply(data[place], *update));
    data
}

fn scatter_elements<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, by) = (spec.int("axis", 0)?, Reduction::of(spec)?);
    Ok(Kernel::host(move |args| {
        let (view, chosen, updates) = (args.view(0)?, args.view(1)?, args.view(2)?);
        if updates.shape() != chosen.shape() {
            let (updates, chosen) = (updates.shape(), chosen.shape());
            return Err(format!("updates of shape {updates:?} do not fit indices of shape {chosen:?}"));
        }
        let places = places_along(view.shape(), chosen, axis(at, view.shape().len())?)?;
        written(view, updates, places.into_iter(), by)
    }))
}

/// Where the slices begin that indices of several dimensions mean, and how many elements each has. The first `batch`
/// dimensions are common to both tensors.
fn slices(shape: &[usize], chosen: TensorView<'_>, batch: usize) -> Result<(Vec<usize>, usize), Reason> {
    let misfit = || format!("indices of shape {:?} do not fit a tensor of shape {shape:?}", chosen.shape());
    let (&depth, outer) = chosen.shape().split_last().ok_or_else(misfit)?;
    if batch > outer.len() || batch + depth > shape.len() || outer[..batch] != shape[..batch] {
        return Err(misfit());
    }
    let (steps, indices) = (row_major(shape), ints(chosen)?);
    let entries: usize = shape[..batch].iter().product();
    let (count, entry) = (outer.iter().product::<usize>(), shape[batch..].iter().product::<usize>());
    let mut starts = Vec::with_capacity(count);
    for number in 0..count {
        let mut start = number / (count / entries) * entry;
        let tuple = &indices[number * depth..(number + 1) * depth];
        for ((&index, &size), step) in tuple.iter().zip(&shape[batch..]).zip(&steps[batch..]) {
            start += place(index, size)? * step;
        }
        starts.push(start);
    }
    Ok((starts, shape[batch + depth..].iter().product()))
}

fn scatter_nd<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let by = Reduction::of(spec)?;
    Ok(Kernel::host(move |args| {
        let (view, chosen, updates) = (args.view(0)?, args.view(1)?, args.view(2)?);
        let (starts, size) = slices(view.shape(), chosen, 0)?;
        let (outer, depth) = chosen.shape().split_at(chosen.shape().len() - 1);
        let fitting = [outer, &view.shape()[depth[0]..]].concat();
        if updates.shape() != fitting {
            return Err(format!("updates of shape {:?} are not of shape {fitting:?}", updates.shape()));
        }
        written(view, updates, starts.into_iter().flat_map(|start| start..start + size), by)
    }))
}

fn gather_nd<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let batch = usize::try_from(spec.int("batch_dims", 0)?);
    let batch = batch.map_err(|_| Refusal::invalid("its `batch_dims` is negative"))?;
    let limits = *spec.limits();
    Ok(Kernel::host(move |args| {
        let (view, chosen) = (args.view(0)?, args.view(1)?);
        let (starts, size) = slices(view.shape(), chosen, batch)?;
        let (outer, depth) = chosen.shape().split_at(chosen.shape().len() - 1);
        let shape = [outer, &view.shape()[batch + depth[0]..]].concat();
        let mut places = Vec::with_capacity(bounded(&shape, &limits)?);
        places.extend(starts.into_iter().flat_map(|start| start..start + size));
        Ok(Tensor { shape, data: each_view!(view, data => Element::data(found(data, &places))) })
    }))
}

fn update_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (dtype, updates) = (spec.dtype(0)?, spec.dtype(1)?);
    if dtype != updates {
        return Err(Refusal::invalid(format!("it does not write {updates} into {dtype}")));
    }
    Ok(vec![dtype])
}

/// Writes a block into a cache, for each entry of the batch from a place of its own on.
fn update<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", -2)?;
    let circular = match spec.text("mode", "linear")? {
        "linear" => false,
        "circular" => true,
        other => return Err(Refusal::invalid(format!("it does not write in mode `{other}`"))),
    };
    Ok(Kernel::host(move |args| {
        let (view, updates) = (args.view(0)?, args.view(1)?);
        let (old, new) = (view.shape(), updates.shape());
        let at = axis(at, old.len())?;
        let fits = |axis: usize| if axis == at { new[axis] <= old[axis] } else { new[axis] == old[axis] };
        if at == 0 || new.len() != old.len() || !(0..old.len()).all(fits) {
            return Err(format!("a block of shape {new:?} does not fit a cache of shape {old:?}"));
        }
        let firsts = if args.has(2) { args.i64(2)?.to_vec() } else { vec![0; old[0]] };
        if firsts.len() != old[0] {
            return Err(format!("{} indices for a batch of {}", firsts.len(), old[0]));
        }
        let (before, along, after) = around(old, at);
        let mut places = Vec::with_capacity(updates.len());
        for block in 0..before {
            let first = firsts[block / (before / old[0])];
            for step in 0..new[at] {
                let place = along_cache(first, step, along, circular)?;
                let start = (block * along + place) * after;
                places.extend(start..start + after);
            }
        }
        written(view, updates, places.into_iter(), Reduction::Replace)
    }))
}

/// The place in a cache of `along` places that is `step` after the first one.
fn along_cache(first: i64, step: usize, along: usize, circular: bool) -> Result<usize, Reason> {
    let outside = || format!("a block from {first} on does not fit {along} places");
    let place = first.checked_add(step as i64).ok_or_else(outside)?;
    let place = if circular { place.rem_euclid(along as i64) } else { place };
    usize::try_from(place).ok().filter(|&place| place < along).ok_or_else(outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Data;

    #[test]
    fn slices_of_a_batch_begin_in_their_own_entry() {
        let chosen = Tensor::i64([2, 1], vec![1, -1]);
        assert_eq!(slices(&[2, 3], chosen.view(), 1), Ok((vec![1, 5], 1)));
        assert_eq!(slices(&[2, 3], chosen.view(), 0), Ok((vec![3, 3], 3)));
        assert!(slices(&[3, 3], chosen.view(), 1).is_err());
        assert!(slices(&[], chosen.view(), 0).is_err());
    }

    #[test]
    fn reductions_meet_in_one_place() {
        let (held, updates) = (Tensor::i64([2], vec![1, 1]), Tensor::i64([3], vec![5, 7, 9]));
        let sums = written(held.view(), updates.view(), [1, 1, 0].into_iter(), Reduction::Add).unwrap();
        assert_eq!(sums.data, Data::I64(vec![10, 13]));
        let last = written(held.view(), updates.view(), [1, 1, 0].into_iter(), Reduction::Replace).unwrap();
        assert_eq!(last.data, Data::I64(vec![9, 7]));
    }

    #[test]
    fn a_circular_cache_begins_again() {
        assert_eq!(along_cache(3, 2, 4, true), Ok(1));
        assert!(along_cache(3, 2, 4, false).is_err());
        assert!(along_cache(-1, 0, 4, false).is_err());
    }
}
