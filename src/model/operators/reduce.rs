//! Operators that fold dimensions into one value: sums, means, extremes, and where the extremes are.

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Args, Given, Kernel, Reason, reshaped},
        tensor::{Element, each_number},
    },
    Operator, Refusal, Spec, axis,
    broadcast::{Dims, walk},
    number::Number,
    on_backend,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
}

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "ReduceSum" | "ReduceMean" | "ReduceProd" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2"
        | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => {
            Operator { types: fold_types, kernel: fold }
        }
        "ArgMax" | "ArgMin" => Operator { types: place_types, kernel: extreme },
        "TopK" => Operator { types: top_types, kernel: top },
        _ => return None,
    })
}

fn fold_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let extreme = matches!(spec.op().name.as_str(), "ReduceMax" | "ReduceMin");
    match spec.dtype(0)? {
        DType::Bool if extreme => Ok(vec![DType::Bool]),
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
        }
        dtype => Ok(vec![dtype]),
    }
}

fn place_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compare {dtype}")))
        }
        _ => Ok(vec![DType::I64]),
    }
}

fn top_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    place_types(spec)?;
    Ok(vec![spec.dtype(0)?, DType::I64])
}

/// Which dimensions a fold takes, and what it leaves of them.
#[derive(Clone, Debug)]
struct Axes {
    listed: Option<Vec<i64>>,
    keep: bool,
    /// Without axes nothing is folded, instead of everything.
    none_is_noop: bool,
}

impl Axes {
    fn new(spec: &Spec<'_>) -> Result<Axes, Refusal> {
        Ok(Axes {
            listed: spec.ints("axes")?.map(<[i64]>::to_vec),
            keep: spec.flag("keepdims", true)?,
            none_is_noop: spec.flag("noop_with_empty_axes", false)?,
        })
    }

    /// For each dimension whether it is folded.
    fn folded<B: Backend>(&self, args: &Args<'_, '_, B>, rank: usize) -> Result<Vec<bool>, Reason> {
        let given = match &self.listed {
            Some(listed) => listed.as_slice(),
            None if args.has(1) => match args.at_home(1) {
                Some(TensorView::I64 { data, .. }) => data,
                _ => return Err("its axes are not integers".to_owned()),
            },
            None => &[],
        };
        let mut folded = vec![given.is_empty() && !self.none_is_noop; rank];
        for &at in given {
            folded[axis(at, rank)?] = true;
        }
        Ok(folded)
    }
}

fn fold<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let op = match spec.op().name.as_str() {
        "ReduceSum" => Fold::Sum,
        "ReduceMean" => Fold::Mean,
        "ReduceProd" => Fold::Prod,
        "ReduceMax" => Fold::Max,
        "ReduceMin" => Fold::Min,
        "ReduceL1" => Fold::L1,
        "ReduceL2" => Fold::L2,
        "ReduceSumSquare" => Fold::SumSquare,
        "ReduceLogSum" => Fold::LogSum,
        _ => Fold::LogSumExp,
    };
    let axes = Axes::new(spec)?;
    let small = spec.loop_elements();
    Ok(Kernel::anywhere(move |args| {
        let shape = args.shape(0)?;
        let folded = axes.folded(args, shape.len())?;
        if on_backend(&shape, small)
            && args.dtype(0)?.is_float()
            && let Some(result) = by_backend::<B>(args, op, &folded, &shape, axes.keep)?
        {
            return Ok(result);
        }
        let tensor = args.take(0)?;
        Ok(in_loop(tensor, op, &folded, axes.keep)?.into())
    }))
}

/// The folds that the backend has.
fn by_backend<B: Backend>(
    args: &mut Args<'_, '_, B>,
    op: Fold,
    folded: &[bool],
    shape: &[usize],
    keep: bool,
) -> Result<Option<Given<B>>, Reason> {
    let call = match op {
        Fold::Sum => B::float_sum_dim,
        Fold::Mean => B::float_mean_dim,
        Fold::Prod => B::float_prod_dim,
        _ => return Ok(None),
    };
    let mut tensor = args.float(0)?;
    for (at, _) in folded.iter().enumerate().filter(|(_, folded)| **folded) {
        tensor = call(tensor, at);
    }
    reshaped::<B>(tensor, left(shape, folded, keep)).map(Some)
}

/// The shape that a fold leaves.
fn left(shape: &[usize], folded: &[bool], keep: bool) -> Vec<usize> {
    let size = |(&size, &folded): (&usize, &bool)| match (folded, keep) {
        (false, _) => Some(size),
        (true, true) => Some(1),
        (true, false) => None,
    };
    shape.iter().zip(folded).filter_map(size).collect()
}

fn in_loop(tensor: Tensor, op: Fold, folded: &[bool], keep: bool) -> Result<Tensor, Reason> {
    let shape = left(&tensor.shape, folded, keep);
    let layout = Layout::new(&tensor.shape, folded);
    let data = match &tensor.data {
        Data::F32(data) => Data::F32(layout.floats(data, op)),
        Data::F64(data) => Data::F64(layout.floats(data, op)),
        Data::I64(data) => Data::I64(layout.integers(data, op)?),
        Data::I32(data) => Data::I32(layout.integers(data, op)?),
        Data::I16(data) => Data::I16(layout.integers(data, op)?),
        Data::I8(data) => Data::I8(layout.integers(data, op)?),
        Data::U64(data) => Data::U64(layout.integers(data, op)?),
        Data::U32(data) => Data::U32(layout.integers(data, op)?),
        Data::U16(data) => Data::U16(layout.integers(data, op)?),
        Data::U8(data) => Data::U8(layout.integers(data, op)?),
        Data::Bool(data) => {
            let any = op == Fold::Max;
            Data::Bool(layout.groups(data, |each| {
                let mut state = !any;
                each(&mut |value| state = if any { state | value } else { state & value });
                state
            }))
        }
        Data::F16(_) | Data::Str(_) => {
            return Err(format!("it does not compute with {}", tensor.data.dtype()));
        }
    };
    Ok(Tensor { shape, data })
}

/// The kept dimensions outside, the folded ones inside.
struct Layout {
    kept: Dims,
    kept_steps: Dims,
    folded: Dims,
    folded_steps: Dims,
}

impl Layout {
    fn new(shape: &[usize], folded: &[bool]) -> Layout {
        let mut layout = Layout {
            kept: Dims::new(),
            kept_steps: Dims::new(),
            folded: Dims::new(),
            folded_steps: Dims::new(),
        };
        let mut step: usize = shape.iter().product();
        for (&size, &fold) in shape.iter().zip(folded) {
            step = step.checked_div(size).unwrap_or(0);
            let (sizes, steps) = match fold {
                true => (&mut layout.folded, &mut layout.folded_steps),
                false => (&mut layout.kept, &mut layout.kept_steps),
            };
            sizes.push(size);
            steps.push(step);
        }
        layout
    }

    /// Gives each group of elements that become one.
    fn groups<T: Copy, U>(
        &self,
        data: &[T],
        mut of: impl FnMut(&mut dyn FnMut(&mut dyn FnMut(T))) -> U,
    ) -> Vec<U> {
        let mut out = Vec::with_capacity(self.kept.iter().product());
        walk(&self.kept, [&self.kept_steps], |[base]| {
            out.push(of(&mut |visit| {
                walk(&self.folded, [&self.folded_steps], |[offset]| visit(data[base + offset]))
            }));
        });
        out
    }

    /// Floats are summed in 64 bits: as exact as any order of summation, and independent of it.
    fn floats<T: Number>(&self, data: &[T], op: Fold) -> Vec<T> {
        let count: usize = self.folded.iter().product();
        self.groups(data, |each| {
            let mut sum = 0.0_f64;
            let value = match op {
                Fold::Sum | Fold::Mean | Fold::LogSum => {
                    each(&mut |value| sum += value.to_f64());
                    match op {
                        Fold::Sum => sum,
                        Fold::Mean => sum / count as f64,
                        _ => sum.ln(),
                    }
                }
                Fold::L1 => {
                    each(&mut |value| sum += value.to_f64().abs());
                    sum
                }
                Fold::L2 | Fold::SumSquare => {
                    each(&mut |value| sum += value.to_f64() * value.to_f64());
                    if op == Fold::L2 { sum.sqrt() } else { sum }
                }
                Fold::Prod => {
                    let mut product = 1.0;
                    each(&mut |value| product *= value.to_f64());
                    product
                }
                Fold::Max | Fold::LogSumExp => {
                    let mut most = f64::NEG_INFINITY;
                    each(&mut |value| most = Number::max(most, value.to_f64()));
                    if op == Fold::LogSumExp && most.is_finite() {
                        each(&mut |value| sum += (value.to_f64() - most).exp());
                        most + sum.ln()
                    } else {
                        most
                    }
                }
                Fold::Min => {
                    let mut least = f64::INFINITY;
                    each(&mut |value| least = Number::min(least, value.to_f64()));
                    least
                }
            };
            T::of_f64(value)
        })
    }

    /// Sums and products wrap, as those of the element's own type do.
    fn integers<T: Number + Wrapping>(&self, data: &[T], op: Fold) -> Result<Vec<T>, Reason> {
        let count = self.folded.iter().product::<usize>() as i64;
        if count == 0 && matches!(op, Fold::Max | Fold::Min | Fold::Mean) {
            return Err("there is nothing to fold".to_owned());
        }
        if matches!(op, Fold::Max | Fold::Min) {
            let better = if op == Fold::Max { Number::max } else { Number::min };
            return Ok(self.groups(data, |each| {
                let mut state = None;
                each(&mut |value| state = Some(state.map_or(value, |held| better(held, value))));
                state.unwrap_or(T::of_f64(0.0))
            }));
        }
        Ok(self.groups(data, |each| {
            let mut state = i64::from(op == Fold::Prod);
            let mut exponents = 0.0_f64;
            each(&mut |number: T| {
                let value = number.bits();
                match op {
                    Fold::Sum | Fold::Mean | Fold::LogSum => state = state.wrapping_add(value),
                    Fold::L1 => state = state.wrapping_add(value.wrapping_abs()),
                    Fold::L2 | Fold::SumSquare => state = state.wrapping_add(value.wrapping_mul(value)),
                    Fold::Prod => state = state.wrapping_mul(value),
                    Fold::LogSumExp => exponents += number.to_f64().exp(),
                    Fold::Max | Fold::Min => {}
                }
            });
            T::wrap(match op {
                Fold::Mean => state / count,
                Fold::L2 => (state as f64).sqrt() as i64,
                Fold::LogSum => (state as f64).ln() as i64,
                Fold::LogSumExp => exponents.ln() as i64,
                _ => state,
            })
        }))
    }
}

/// Integers as the 64 bits in which they are added up, which keep what is left of them when they wrap.
trait Wrapping {
    fn wrap(value: i64) -> Self;
    fn bits(self) -> i64;
}

macro_rules! wrapping {
    ($($type:ty),*) => {$(
        impl Wrapping for $type {
            fn wrap(value: i64) -> Self {
                value as $type
            }
            fn bits(self) -> i64 {
                self as i64
            }
        }
    )*};
}

wrapping!(i64, i32, i16, i8, u64, u32, u16, u8);

fn extreme<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", 0)?;
    let keep = spec.flag("keepdims", true)?;
    let last = spec.flag("select_last_index", false)?;
    let max = spec.op().name == "ArgMax";
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let shape = view.shape();
        let at = axis(at, shape.len())?;
        if shape[at] == 0 {
            return Err(format!("shape {shape:?} has no element along axis {at}"));
        }
        let data = each_number!(view, data => places(data, shape, at, max, last), other => {
            return Err(format!("it does not compare {}", other.dtype()));
        });
        let mut folded = vec![false; shape.len()];
        folded[at] = true;
        Ok(Tensor::i64(left(shape, &folded, keep), data))
    }))
}

/// Where the extreme along an axis is: the first place of several, or the last.
fn places<T: Number>(data: &[T], shape: &[usize], at: usize, max: bool, last: bool) -> Vec<i64> {
    let after: usize = shape[at + 1..].iter().product();
    let along = shape[at];
    let mut out = Vec::with_capacity(data.len() / along);
    for base in (0..data.len()).step_by((along * after).max(1)) {
        for offset in base..base + after {
            let mut best = 0;
            for index in 1..along {
                let (value, held) = (data[offset + index * after], data[offset + best * after]);
                let better = if max { value > held } else { value < held };
                if better || (last && value == held) {
                    best = index;
                }
            }
            out.push(best as i64);
        }
    }
    out
}

fn top<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = spec.int("axis", -1)?;
    let largest = spec.flag("largest", true)?;
    let fixed = if spec.has_attribute("k") { Some(spec.int("k", 0)?) } else { None };
    Ok(Kernel::host_many(move |args| {
        let view = args.view(0)?;
        let at = axis(at, view.shape().len())?;
        let k = match fixed {
            Some(k) => k,
            None => *args.i64(1)?.first().ok_or("its `k` is empty")?,
        };
        let size = view.shape()[at];
        let k = usize::try_from(k).ok().filter(|&k| k <= size);
        let k = k.ok_or_else(|| format!("it cannot take that many of {size}"))?;
        let mut shape = view.shape().to_vec();
        let (values, places) = each_number!(view, data => {
            let (values, places) = best(data, &shape, at, k, largest);
            (Element::data(values), places)
        }, other => return Err(format!("it does not compare {}", other.dtype())));
        shape[at] = k;
        Ok([Tensor { shape: shape.clone(), data: values }, Tensor::i64(shape, places)].into_iter().collect())
    }))
}

/// The `k` best along an axis in order, ties by place.
fn best<T: Number>(data: &[T], shape: &[usize], at: usize, k: usize, largest: bool) -> (Vec<T>, Vec<i64>) {
    let (along, after) = (shape[at], shape[at + 1..].iter().product::<usize>());
    let before: usize = shape[..at].iter().product();
    let Some(&first) = data.first() else { return (Vec::new(), Vec::new()) };
    let (mut values, mut places) = (vec![first; before * k * after], vec![0; before * k * after]);
    let mut order: Vec<usize> = Vec::with_capacity(along);
    for block in 0..before {
        for offset in 0..after {
            let value = |index: usize| data[(block * along + index) * after + offset];
            order.clear();
            order.extend(0..along);
            order.sort_by(|&a, &b| {
                let ascending = value(a).partial_cmp(&value(b)).unwrap_or(std::cmp::Ordering::Equal);
                if largest { ascending.reverse() } else { ascending }
            });
            for (rank, &index) in order[..k].iter().enumerate() {
                let target = (block * k + rank) * after + offset;
                values[target] = value(index);
                places[target] = index as i64;
            }
        }
    }
    (values, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_first_place_unless_the_last_is_asked_for() {
        assert_eq!(places(&[1.0, 3.0, 3.0], &[3], 0, true, false), [1]);
        assert_eq!(places(&[1.0, 3.0, 3.0], &[3], 0, true, true), [2]);
        assert_eq!(places(&[4, 1, 2, 0], &[2, 2], 0, false, false), [1, 1]);
    }

    #[test]
    fn folds_over_any_dimensions() {
        let tensor = Tensor::f32([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let rows = in_loop(tensor.clone(), Fold::Sum, &[false, true], false).unwrap();
        assert_eq!(rows, Tensor::f32([2], vec![6.0, 15.0]));
        let columns = in_loop(tensor.clone(), Fold::Max, &[true, false], true).unwrap();
        assert_eq!(columns, Tensor::f32([1, 3], vec![4.0, 5.0, 6.0]));
        let all = in_loop(tensor, Fold::Mean, &[true, true], false).unwrap();
        assert_eq!(all, Tensor::f32([], vec![3.5]));
    }

    #[test]
    fn the_best_are_in_order() {
        let (values, places) = best(&[1.0, 9.0, 5.0, 7.0], &[4], 0, 2, true);
        assert_eq!((values, places), (vec![9.0, 7.0], vec![1, 3]));
    }
}
