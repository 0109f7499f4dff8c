//! Operators between places and marks of places: which elements are marked or not zero, and marks for given places.

use burn_backend::Backend;

use super::{
    super::{
        DType, Tensor, TensorView,
        plan::{Kernel, Reason},
        tensor::{Element, each_number, each_view},
    },
    Operator, Refusal, Spec, axis,
    broadcast::{bounded, elements},
    cast::to_f64,
    pick::{around, pick},
    select::first_type,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Compress" => Operator { types: first_type, kernel: compress },
        "NonZero" => Operator { types: non_zero_types, kernel: non_zero },
        "OneHot" => Operator { types: one_hot_types, kernel: one_hot },
        _ => return None,
    })
}

fn compress<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let at = if spec.has_attribute("axis") { Some(spec.int("axis", 0)?) } else { None };
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let TensorView::Bool { data: marks, .. } = args.view(1)? else {
            return Err("its condition is not bool".to_owned());
        };
        // Without an axis the tensor is taken as flat.
        let (mut shape, at) = match at {
            Some(at) => (view.shape().to_vec(), axis(at, view.shape().len())?),
            None => (vec![view.len()], 0),
        };
        let layout = around(&shape, at);
        let places: Vec<usize> = (0..marks.len()).filter(|&place| marks[place]).collect();
        if let Some(place) = places.last().filter(|&&place| place >= layout.1) {
            return Err(format!("place {place} is outside of {}", layout.1));
        }
        shape[at] = places.len();
        Ok(Tensor { shape, data: each_view!(view, data => Element::data(pick(data, layout, &places))) })
    }))
}

fn non_zero_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Str) => Err(Refusal::unsupported(format!("zeros of {dtype}"))),
        _ => Ok(vec![DType::I64]),
    }
}

fn non_zero<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let found: Vec<usize> = each_number!(view, data => filled(data), other => match other {
            TensorView::Bool { data, .. } => filled(data),
            other => return Err(format!("it does not compute with {}", other.dtype())),
        });
        let shape = [view.shape().len(), found.len()];
        elements(&shape, limit)?;
        let mut places = Vec::with_capacity(shape[0] * shape[1]);
        for at in 0..view.shape().len() {
            let (_, along, after) = around(view.shape(), at);
            places.extend(found.iter().map(|place| (place / after % along) as i64));
        }
        Ok(Tensor::i64(shape, places))
    }))
}

/// The places of the elements that are not zero.
fn filled<T: Default + PartialEq>(data: &[T]) -> Vec<usize> {
    (0..data.len()).filter(|&place| data[place] != T::default()).collect()
}

fn one_hot_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    for input in 0..2 {
        if let dtype @ (DType::Bool | DType::Str) = spec.dtype(input)? {
            return Err(Refusal::invalid(format!("input {input} is {dtype}")));
        }
    }
    Ok(vec![spec.dtype(2)?])
}

fn one_hot<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let (at, limits) = (spec.int("axis", -1)?, *spec.limits());
    // Before version 11 no index counts from the end.
    let wraps = spec.version() >= 11;
    Ok(Kernel::host(move |args| {
        let (chosen, values) = (args.view(0)?, args.view(2)?);
        let [depth] = whole(args.view(1)?)?[..] else { return Err("its depth is not one number".to_owned()) };
        let size = usize::try_from(depth).map_err(|_| format!("a depth of {depth} is negative"))?;
        let mut shape = chosen.shape().to_vec();
        let at = axis(at, shape.len() + 1)?;
        shape.insert(at, size);
        let count = bounded(&shape, &limits)?;
        let (_, _, after) = around(&shape, at);
        let wrap = |index: i64| if wraps && index < 0 { index.saturating_add(depth) } else { index };
        let places = whole(chosen)?.into_iter().enumerate().filter_map(|(number, index)| {
            let index = usize::try_from(wrap(index)).ok().filter(|&index| index < size)?;
            Some((number / after * size + index) * after + number % after)
        });
        let data = each_view!(values, values => {
            let [off, on] = values else { return Err("its values are not two".to_owned()) };
            Element::data(marked(off, on, count, places))
        });
        Ok(Tensor { shape, data })
    }))
}

/// So many elements: `on` at the given places, `off` elsewhere.
fn marked<T: Clone>(off: &T, on: &T, count: usize, places: impl Iterator<Item = usize>) -> Vec<T> {
    let mut data = vec![off.clone(); count];
    places.for_each(|place| data[place] = on.clone());
    data
}

/// Numbers as whole ones, without what they have behind the point.
fn whole(view: TensorView<'_>) -> Result<Vec<i64>, Reason> {
    match view {
        TensorView::I64 { data, .. } => Ok(data.to_vec()),
        // What 64-bit floats do not hold exactly is beyond any depth.
        other => Ok(to_f64(other)?.into_iter().map(|value| value as i64).collect()),
    }
}
