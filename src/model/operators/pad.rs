//! Operators that add elements at the edges of a tensor, or take them away.

use burn_backend::Backend;

use super::{
    super::{
        DType, Limits, Tensor, TensorView,
        plan::{Args, Kernel, Reason},
        tensor::{Element, each_view},
    },
    Operator, Refusal, Spec, axis,
    broadcast::bounded,
    cast::of_f64,
    pick::{ints, pick_along},
    select::first_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Pad" => Operator { types: pad_types, kernel: pad },
        "CenterCropPad" => Operator { types: first_type, kernel: center },
        _ => return None,
    })
}

/// What is added at the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Constant,
    /// The tensor mirrored, without the edge itself.
    Reflect,
    /// The edge, again and again.
    Edge,
    /// The tensor from its other end.
    Wrap,
}

impl Mode {
    /// The place of the tensor that an element `at` of its edge means; `at` counts from the first of the tensor.
    fn source(self, at: i64, size: usize) -> Option<usize> {
        let size = size as i64;
        if (0..size).contains(&at) {
            return Some(at as usize);
        }
        let place = match self {
            Mode::Constant => return None,
            Mode::Edge => at.clamp(0, size - 1),
            Mode::Wrap => at.rem_euclid(size),
            Mode::Reflect if size == 1 => 0,
            Mode::Reflect => {
                let period = 2 * (size - 1);
                let place = at.rem_euclid(period);
                place.min(period - place)
            }
        };
        Some(place as usize)
    }
}

/// How many elements are added at the two ends of a dimension; taken away, if negative.
type Edges = (i64, i64);

/// The tensor with other edges.
fn padded(
    view: TensorView<'_>,
    edges: &[Edges],
    mode: Mode,
    fill: Option<TensorView<'_>>,
    limits: &Limits,
) -> Result<Tensor, Reason> {
    let old = view.shape();
    let mut shape = Vec::with_capacity(old.len());
    for (&size, &(before, after)) in old.iter().zip(edges) {
        let new = before.checked_add(after).and_then(|added| added.checked_add(size as i64));
        let new = new.and_then(|new| usize::try_from(new).ok());
        shape.push(
            new.ok_or_else(|| format!("a dimension of {size} does not become {before} and {after} longer"))?,
        );
        if mode != Mode::Constant && (before < 0 || after < 0 || size == 0 && before + after > 0) {
            return Err(format!("a dimension of {size} has nothing to add {before} and {after} from"));
        }
    }
    bounded(&shape, limits)?;
    let changed = (0..old.len()).filter(|&at| edges[at] != (0, 0));
    let source = |at: usize, place: usize| mode.source((place as i64).saturating_sub(edges[at].0), old[at]);
    let data = each_view!(view, data => {
        let fill = match fill.map(|fill| fill.like(data)) {
            None => &Default::default(),
            Some(Some([fill])) => fill,
            Some(_) => return Err(format!("what it adds is not one {}", view.dtype())),
        };
        Element::data(pick_along(data, (old, &shape), changed, source, fill))
    });
    Ok(Tensor { shape, data })
}

fn mode(spec: &Spec<'_>) -> Result<Mode, Refusal> {
    Ok(match spec.text("mode", "constant")? {
        "constant" => Mode::Constant,
        "reflect" => Mode::Reflect,
        "edge" => Mode::Edge,
        "wrap" => Mode::Wrap,
        other => return Err(Refusal::invalid(format!("it does not pad by `{other}`"))),
    })
}

fn pad_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let dtype = spec.dtype(0)?;
    if spec.has(2) && spec.dtype(2)? != dtype {
        return Err(Refusal::invalid(format!("it does not add {} to {dtype}", spec.dtype(2)?)));
    }
    Ok(vec![dtype])
}

fn pad<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (mode, limits) = (mode(spec)?, *spec.limits());
    if spec.version() >= 11 {
        return Ok(Kernel::host(move |args| {
            let (view, pads) = (args.view(0)?, ints(args.view(1)?)?);
            let axes = if args.has(3) { Some(ints(args.view(3)?)?) } else { None };
            let edges = edges(view.shape().len(), &pads, axes.as_deref())?;
            let fill = if args.has(2) { Some(args.view(2)?) } else { None };
            padded(view, &edges, mode, fill, &limits)
        }));
    }
    let pads = spec.ints(if spec.version() < 2 { "paddings" } else { "pads" })?;
    let pads = pads.ok_or_else(|| Refusal::invalid("its `pads` are missing"))?.to_vec();
    let value = of_f64(vec![spec.float("value", 0.0)?.into()], spec.dtype(0)?).map_err(Refusal::invalid)?;
    let fill = Tensor::new([1], value);
    Ok(Kernel::host(move |args: &mut Args<'_, '_, B>| {
        let view = args.view(0)?;
        padded(view, &edges(view.shape().len(), &pads, None)?, mode, Some(fill.view()), &limits)
    }))
}

/// For each dimension what is added: `pads` lists all beginnings, then all ends.
fn edges(rank: usize, pads: &[i64], axes: Option<&[i64]>) -> Result<Vec<Edges>, Reason> {
    let all: Vec<i64> = (0..rank as i64).collect();
    let axes = axes.unwrap_or(&all);
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} pads for {} dimensions", pads.len(), axes.len()));
    }
    let (before, after) = pads.split_at(axes.len());
    let mut edges = vec![(0, 0); rank];
    for ((&at, &before), &after) in axes.iter().zip(before).zip(after) {
        edges[axis(at, rank)?] = (before, after);
    }
    Ok(edges)
}

fn center<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let listed = spec.ints("axes")?.map(<[i64]>::to_vec);
    let limits = *spec.limits();
    Ok(Kernel::host(move |args| {
        let (view, sizes) = (args.view(0)?, ints(args.view(1)?)?);
        let rank = view.shape().len();
        let axes = listed.clone().unwrap_or_else(|| (0..rank as i64).collect());
        if sizes.len() != axes.len() {
            return Err(format!("{} sizes for {} dimensions", sizes.len(), axes.len()));
        }
        let mut edges = vec![(0, 0); rank];
        for (at, size) in axes.into_iter().zip(sizes) {
            let at = axis(at, rank)?;
            let added = size.checked_sub(view.shape()[at] as i64).filter(|_| size >= 0);
            let added = added.ok_or_else(|| format!("a size of {size} is negative"))?;
            edges[at] = (added / 2, added - added / 2);
        }
        padded(view, &edges, Mode::Constant, None, &limits)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(mode: Mode, size: usize) -> Vec<Option<usize>> {
        (-3..size as i64 + 3).map(|at| mode.source(at, size)).collect()
    }

    #[test]
    fn edges_are_made_of_what_is_inside() {
        let places = |places: [usize; 8]| places.map(Some).to_vec();
        assert_eq!(sources(Mode::Reflect, 2), places([1, 0, 1, 0, 1, 0, 1, 0]));
        assert_eq!(sources(Mode::Edge, 2), places([0, 0, 0, 0, 1, 1, 1, 1]));
        assert_eq!(sources(Mode::Wrap, 2), places([1, 0, 1, 0, 1, 0, 1, 0]));
        assert_eq!(Mode::Reflect.source(-2, 4), Some(2));
        assert_eq!(Mode::Reflect.source(5, 4), Some(1));
        assert_eq!(sources(Mode::Reflect, 1), [Some(0); 7]);
        assert_eq!(Mode::Constant.source(-1, 4), None);
    }

    #[test]
    fn a_dimension_may_shrink_to_nothing_but_not_below() {
        let (tensor, limits) = (Tensor::i64([3], vec![1, 2, 3]), Limits::default());
        let cut = |before, after| padded(tensor.view(), &[(before, after)], Mode::Constant, None, &limits);
        assert_eq!(cut(-1, 1), Ok(Tensor::i64([3], vec![2, 3, 0])));
        assert_eq!(cut(-2, -1), Ok(Tensor::i64([0], vec![])));
        assert!(cut(-2, -2).is_err());
        assert!(cut(i64::MAX, 1).is_err());
    }
}
