//! Operators that pick, repeat or order elements without computing with them. Every element type goes through the
//! same loops, strings included, which no backend holds.

use burn_backend::Backend;
use smallvec::SmallVec;

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Kernel, Reason},
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec, axis,
    broadcast::{Dims, bounded, broadcast, elements, row_major, strides, walk},
    pick::{around, found, indices, ints, pick, places_along, walked},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Gather" => Operator { types: first_type, kernel: gather },
        "GatherElements" => Operator { types: first_type, kernel: gather_elements },
        "Concat" => Operator { types: shared_type, kernel: concat },
        "Slice" => Operator { types: first_type, kernel: slice },
        "Split" => Operator { types: split_types, kernel: split },
        "Transpose" => Operator { types: first_type, kernel: transpose },
        "Expand" => Operator { types: first_type, kernel: expand },
        "Tile" => Operator { types: first_type, kernel: tile },
        "Where" => Operator { types: where_types, kernel: choose },
        _ => return None,
    })
}

pub(super) fn first_type(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![spec.dtype(0)?])
}

pub(super) fn second_type(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![spec.dtype(1)?])
}

fn shared_type(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    for input in 1..spec.inputs() {
        if spec.dtype(input)? != dtype {
            return Err(Refusal::invalid("its inputs are of different types"));
        }
    }
    Ok(vec![dtype])
}

fn split_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    Ok(vec![spec.dtype(0)?; spec.outputs()])
}

fn where_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (condition, yes, no) = (spec.dtype(0)?, spec.dtype(1)?, spec.dtype(2)?);
    if condition != DType::Bool || yes != no {
        return Err(Refusal::invalid(format!("it does not choose by {condition} between {yes} and {no}")));
    }
    Ok(vec![yes])
}

fn gather<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, limits) = (spec.int("axis", 0)?, *spec.limits());
    Ok(Kernel::host(move |args| {
        let (view, chosen) = (args.view(0)?, args.view(1)?);
        let old = view.shape();
        let at = axis(at, old.len())?;
        let places = indices(chosen, old[at])?;
        let shape = [&old[..at], chosen.shape(), &old[at + 1..]].concat();
        bounded(&shape, &limits)?;
        Ok(Tensor {
            data: each_view!(view, data => Element::data(pick(data, around(old, at), &places))),
            shape,
        })
    }))
}

fn gather_elements<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", 0)?;
    Ok(Kernel::host(move |args| {
        let (view, chosen) = (args.view(0)?, args.view(1)?);
        let places = places_along(view.shape(), chosen, axis(at, view.shape().len())?)?;
        let data = each_view!(view, data => Element::data(found(data, &places)));
        Ok(Tensor::new(chosen.shape(), data))
    }))
}

fn concat<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, limit) = (spec.int("axis", 1)?, spec.limits().elements);
    Ok(Kernel::host(move |args| {
        let views = (0..args.len()).map(|index| args.view(index)).collect::<Result<SmallVec<[_; 8]>, _>>()?;
        let mut shape = views.first().ok_or("it has no inputs")?.shape().to_vec();
        let at = axis(at, shape.len())?;
        for view in &views[1..] {
            let other = view.shape();
            let same = other.len() == shape.len()
                && (0..shape.len()).all(|axis| axis == at || shape[axis] == other[axis]);
            if !same {
                return Err(format!("shapes {shape:?} and {other:?} do not fit each other"));
            }
            shape[at] += other[at];
        }
        elements(&shape, limit)?;
        let before = around(&shape, at).0;
        let data = each_view!(views[0], first => joined(first, &views, before, shape.iter().product())?);
        Ok(Tensor { shape, data })
    }))
}

/// For each of `before`, a block of each view. `first` says of which type they all are.
fn joined<T: Element>(
    first: &[T],
    views: &[TensorView<'_>],
    before: usize,
    count: usize,
) -> Result<Data, Reason> {
    let slices = views.iter().map(|view| view.like(first)).collect::<Option<SmallVec<[_; 8]>>>();
    let slices = slices.ok_or("its inputs are of different types")?;
    let mut out = Vec::with_capacity(count);
    for block in 0..before {
        for slice in &slices {
            let size = slice.len() / before;
            out.extend_from_slice(&slice[block * size..(block + 1) * size]);
        }
    }
    Ok(T::data(out))
}

fn slice<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    // Before version 10 the ranges are attributes.
    let fixed = match (spec.ints("starts")?, spec.ints("ends")?) {
        (Some(starts), Some(ends)) => {
            Some((starts.to_vec(), ends.to_vec(), spec.ints("axes")?.map(<[i64]>::to_vec)))
        }
        _ => None,
    };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let (starts, ends, axes) = match &fixed {
            Some(fixed) => fixed.clone(),
            None => {
                let axes = if args.has(3) { Some(ints(args.view(3)?)?) } else { None };
                (ints(args.view(1)?)?, ints(args.view(2)?)?, axes)
            }
        };
        let steps = if args.has(4) { ints(args.view(4)?)? } else { vec![1; starts.len()] };
        let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
        if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
            return Err("starts, ends, axes and steps are not of one length".to_owned());
        }
        let mut tensor = None::<Tensor>;
        for (((start, end), at), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
            let view = tensor.as_ref().map_or(view, Tensor::view);
            let at = axis(at, view.shape().len())?;
            let places = range(start, end, step, view.shape()[at])?;
            let mut shape = view.shape().to_vec();
            let data = each_view!(view, data => Element::data(pick(data, around(&shape, at), &places)));
            shape[at] = places.len();
            tensor = Some(Tensor { shape, data });
        }
        Ok(tensor.unwrap_or_else(|| view.to_tensor()))
    }))
}

/// The places that a slice takes, clamped as numpy clamps them.
fn range(start: i64, end: i64, step: i64, size: usize) -> Result<Vec<usize>, Reason> {
    let size = size as i64;
    let wrap = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
    let mut places = Vec::new();
    let (mut at, low, high) = match step {
        0 => return Err("a step is zero".to_owned()),
        1.. => (wrap(start).clamp(0, size), -1, wrap(end).clamp(0, size)),
        _ => (wrap(start).clamp(-1, size - 1), wrap(end).clamp(-1, size - 1), size),
    };
    while at > low && at < high {
        places.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(places)
}

fn split<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, parts) = (spec.int("axis", 0)?, spec.outputs());
    let fixed = spec.ints("split")?.map(<[i64]>::to_vec);
    Ok(Kernel::host_many(move |args| {
        let view = args.view(0)?;
        let at = axis(at, view.shape().len())?;
        let size = view.shape()[at];
        let sizes = match &fixed {
            Some(sizes) => sizes.clone(),
            None if args.has(1) => args.i64(1)?.to_vec(),
            None => {
                let whole = size.div_ceil(parts);
                (0..parts).map(|part| whole.min(size.saturating_sub(part * whole)) as i64).collect()
            }
        };
        let sum = sizes.iter().try_fold(0_usize, |sum, &part| sum.checked_add(usize::try_from(part).ok()?));
        if sizes.len() != parts || sum != Some(size) {
            return Err(format!("{sizes:?} does not divide {size} into {parts}"));
        }
        let mut start = 0;
        let mut tensors = SmallVec::new();
        for part in sizes {
            let places: Vec<usize> = (start..start + part as usize).collect();
            start += part as usize;
            let mut shape = view.shape().to_vec();
            let data = each_view!(view, data => Element::data(pick(data, around(&shape, at), &places)));
            shape[at] = places.len();
            tensors.push(Tensor { shape, data });
        }
        Ok(tensors)
    }))
}

fn transpose<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let order = spec.ints("perm")?.map(<[i64]>::to_vec);
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let old = view.shape();
        let order = match &order {
            Some(order) => order.iter().map(|&at| axis(at, old.len())).collect::<Result<Dims, _>>()?,
            None => (0..old.len()).rev().collect(),
        };
        let mut seen = order.clone();
        seen.sort_unstable();
        if !seen.iter().copied().eq(0..old.len()) {
            return Err(format!("{order:?} is no order of the dimensions of {old:?}"));
        }
        let steps = row_major(old);
        let shape: Vec<usize> = order.iter().map(|&at| old[at]).collect();
        let steps: Dims = order.iter().map(|&at| steps[at]).collect();
        let data = each_view!(view, data => Element::data(walked(data, &shape, &steps)));
        Ok(Tensor { shape, data })
    }))
}

/// Stretches a tensor to a shape that it fits.
fn stretched(view: TensorView<'_>, wide: &[usize]) -> Tensor {
    let steps = strides(view.shape(), wide);
    let data = each_view!(view, data => Element::data(walked(data, wide, &steps)));
    Tensor { shape: wide.to_vec(), data }
}

/// Sizes given as a tensor.
pub(super) fn sizes(values: &[i64], rank: usize) -> Result<Dims, Reason> {
    if values.len() > rank {
        return Err(format!("a tensor of {} dimensions is over the limit of {rank}", values.len()));
    }
    let size = |&size: &i64| usize::try_from(size).map_err(|_| format!("size {size} is negative"));
    values.iter().map(size).collect()
}

fn expand<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let wide = broadcast(view.shape(), &sizes(args.i64(1)?, rank)?)?;
        elements(&wide, limit)?;
        Ok(stretched(view, &wide))
    }))
}

fn tile<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (limit, rank) = (spec.limits().elements, spec.limits().rank);
    Ok(Kernel::host(move |args| {
        let mut tensor = args.view(0)?.to_tensor();
        let times = sizes(args.i64(1)?, rank)?;
        if times.len() != tensor.shape.len() {
            return Err(format!("{times:?} repeats do not fit shape {:?}", tensor.shape));
        }
        let whole: Dims =
            tensor.shape.iter().zip(&times).map(|(size, times)| size.saturating_mul(*times)).collect();
        elements(&whole, limit)?;
        for (at, &times) in times.iter().enumerate() {
            let places: Vec<usize> = (0..times).flat_map(|_| 0..tensor.shape[at]).collect();
            let data = each_view!(tensor.view(), data => Element::data(pick(data, around(&tensor.shape, at), &places)));
            tensor.shape[at] = places.len();
            tensor.data = data;
        }
        Ok(tensor)
    }))
}

/// For each element of `wide` that of `yes` or of `no`.
fn chosen<T: Clone>(condition: &[bool], yes: &[T], no: &[T], wide: &[usize], steps: [&[usize]; 3]) -> Vec<T> {
    let mut out = Vec::with_capacity(wide.iter().product());
    walk(wide, steps, |[at, at_yes, at_no]| {
        out.push(if condition[at] { yes[at_yes].clone() } else { no[at_no].clone() });
    });
    out
}

fn choose<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let TensorView::Bool { shape, data: condition } = args.view(0)? else {
            return Err("its condition is not bool".to_owned());
        };
        let (yes, no) = (args.view(1)?, args.view(2)?);
        let wide = broadcast(shape, &broadcast(yes.shape(), no.shape())?)?;
        elements(&wide, limit)?;
        let steps = [&strides(shape, &wide)[..], &strides(yes.shape(), &wide), &strides(no.shape(), &wide)];
        let data = each_view!(yes, yes => {
            let no = no.like(yes).ok_or("its inputs are of different types")?;
            Element::data(chosen(condition, yes, no, &wide, steps))
        });
        Ok(Tensor { shape: wide.to_vec(), data })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_clamped_as_numpy_clamps_it() {
        assert_eq!(range(1, 100, 2, 6).unwrap(), [1, 3, 5]);
        assert_eq!(range(-1, i64::MIN, -2, 6).unwrap(), [5, 3, 1]);
        assert_eq!(range(4, 2, 1, 6).unwrap(), [0_usize; 0]);
        assert_eq!(range(0, i64::MAX, 1, 0).unwrap(), [0_usize; 0]);
        assert_eq!(range(0, 1, 0, 3).unwrap_err(), "a step is zero");
    }
}
