//! The trees of XGBoost and LightGBM: each row's margins. The rooms that decode those libraries' files make the operator.

use std::sync::Arc;

use burn_backend::Backend;

use super::{
    super::{
        DType, Data, Limits, Tensor, TensorView,
        forest::{self, Ensemble, Forest, Scalar},
        plan::Kernel,
    },
    OWN, Operator, Refusal, Spec,
    broadcast::elements,
};

pub(in crate::model) const TREES: (&str, &str) = (OWN, "Trees");

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == TREES.1).then_some(Operator { types: float_types, kernel: trees })
}

pub(super) fn float_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype if dtype.is_float() => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compute with {dtype}"))),
    }
}

fn trees<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let ensemble = spec.ensemble("ensemble")?;
    match spec.dtype(0)? {
        DType::F64 => margins::<B, f64>(spec, ensemble),
        _ => margins::<B, f32>(spec, ensemble),
    }
}

/// A type of number as a tensor holds it.
trait Element: Scalar {
    fn of<'a>(view: TensorView<'a>) -> Option<&'a [Self]>;
    fn data(values: Vec<Self>) -> Data;
}

impl Element for f32 {
    fn of<'a>(view: TensorView<'a>) -> Option<&'a [f32]> {
        if let TensorView::F32 { data, .. } = view { Some(data) } else { None }
    }

    fn data(values: Vec<f32>) -> Data {
        Data::F32(values)
    }
}

impl Element for f64 {
    fn of<'a>(view: TensorView<'a>) -> Option<&'a [f64]> {
        if let TensorView::F64 { data, .. } = view { Some(data) } else { None }
    }

    fn data(values: Vec<f64>) -> Data {
        Data::F64(values)
    }
}

/// How large an ensemble may be. A set of categories takes far less of a file than its edges take of memory.
pub(in crate::model) fn bounds(limits: &Limits) -> forest::Limits {
    let most = forest::Limits::default();
    forest::Limits { nodes: most.nodes.min(limits.elements), ..most }
}

fn margins<B: Backend, X: Element>(spec: &Spec<'_>, ensemble: &Arc<Ensemble>) -> Result<Kernel<B>, Refusal> {
    let most = spec.limits().elements;
    let forest = Forest::<X>::compile(ensemble, &bounds(spec.limits()))
        .map_err(|error| Refusal::invalid(error.message.into_owned()))?;
    Ok(Kernel::host(move |args| {
        let view = args.view(0)?;
        let (&[rows, columns], Some(values)) = (view.shape(), X::of(view)) else {
            return Err(format!("{} {:?} where rows are needed", view.dtype(), view.shape()));
        };
        if columns < forest.features() {
            return Err(format!("rows of {columns} columns do not fit trees over {}", forest.features()));
        }
        let count = elements(&[rows, forest.targets()], most)?;
        let mut margins = vec![X::default(); count];
        forest.sum(values, rows, columns, &mut margins);
        let shape = if forest.targets() == 1 { vec![rows] } else { vec![rows, forest.targets()] };
        Ok(Tensor { shape, data: X::data(margins) })
    }))
}
