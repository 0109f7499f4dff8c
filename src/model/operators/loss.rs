//! Losses: how far scores of classes are from the classes that are expected.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::{
    super::{
        DType, Data, Tensor, TensorView,
        plan::{Args, Kernel, Reason},
    },
    Operator, Refusal, Spec,
    float::{Float, each_float},
    pick::ints,
    softmax::{each, softmax_f32, softmax_f64},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    matches!(name, "NegativeLogLikelihoodLoss" | "SoftmaxCrossEntropyLoss")
        .then_some(Operator { types, kernel: loss })
}

/// Floats of one type but for the expected classes.
fn types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    let (dtype, expected) = (spec.dtype(0)?, spec.dtype(1)?);
    if !dtype.is_float() || (spec.has(2) && spec.dtype(2)? != dtype) {
        return Err(Refusal::invalid(format!("it does not compute with {dtype} and such weights")));
    }
    match expected {
        DType::I32 | DType::I64 => Ok(vec![dtype; 2]),
        other => Err(Refusal::invalid(format!("its expected classes are {other}"))),
    }
}

#[derive(Clone, Copy)]
enum Reduction {
    None,
    Sum,
    Mean,
}

struct Loss {
    reduction: Reduction,
    /// The class that does not count.
    ignored: Option<i64>,
    /// Whether the scores are no logarithms of probabilities yet.
    is_raw: bool,
}

fn loss<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let loss = Loss {
        reduction: match spec.text("reduction", "mean")? {
            "none" => Reduction::None,
            "sum" => Reduction::Sum,
            "mean" => Reduction::Mean,
            other => return Err(Refusal::invalid(format!("attribute `reduction` is `{other}`"))),
        },
        ignored: if spec.has_attribute("ignore_index") { Some(spec.int("ignore_index", 0)?) } else { None },
        is_raw: spec.op().name == "SoftmaxCrossEntropyLoss",
    };
    Ok(Kernel::host_many(move |args| {
        let mut scores = args.take(0)?;
        if loss.is_raw {
            scores = logarithms(scores)?;
        }
        each_float!(scores.dtype(), F => {
            let output = loss.of::<F, B>(args, scores.view())?;
            Ok::<SmallVec<[Tensor; 2]>, Reason>(smallvec![output, scores])
        })
    }))
}

/// The logarithm of each class's probability.
fn logarithms(mut scores: Tensor) -> Result<Tensor, Reason> {
    let classes = scores.shape.get(1).copied().unwrap_or(1);
    let after = scores.shape.iter().skip(2).product();
    match &mut scores.data {
        Data::F32(data) => each(data, classes, after, |group| softmax_f32(group, true)),
        Data::F64(data) => each(data, classes, after, |group| softmax_f64(group, true)),
        other => return Err(format!("it does not compute with {}", other.dtype())),
    }
    Ok(scores)
}

impl Loss {
    fn of<T: Float, B: Backend>(
        &self,
        args: &Args<'_, '_, B>,
        scores: TensorView<'_>,
    ) -> Result<Tensor, Reason> {
        let shape = scores.shape();
        let (&[batch, classes, ref sizes @ ..], Some(scores)) = (shape, T::of(scores)) else {
            return Err(format!("scores of shape {shape:?} have no classes"));
        };
        let outer = [&[batch], sizes].concat();
        let (expected, weights) = (args.view(1)?, args.optional::<T>(2)?);
        if expected.shape() != outer || weights.is_some_and(|weights| weights.len() != classes) {
            return Err(format!("expected classes of shape {:?} do not fit {shape:?}", expected.shape()));
        }
        let size: usize = sizes.iter().product();
        let (mut losses, mut total) = (Vec::with_capacity(batch * size), 0.0);
        for (place, class) in ints(expected)?.into_iter().enumerate() {
            if self.ignored == Some(class) {
                losses.push(T::zero());
                continue;
            }
            let class = usize::try_from(class).ok().filter(|&class| class < classes);
            let class = class.ok_or_else(|| format!("an expected class is none of {classes}"))?;
            let weight = weights.map_or(T::one(), |weights| weights[class]);
            total += weight.into();
            losses.push(-scores[(place / size * classes + class) * size + place % size] * weight);
        }
        let sum: f64 = losses.iter().map(|&loss| loss.into()).sum();
        Ok(match self.reduction {
            Reduction::None => Tensor { shape: outer, data: T::data(losses) },
            Reduction::Sum => Tensor { shape: Vec::new(), data: T::data(vec![T::nearest(sum)]) },
            Reduction::Mean => Tensor { shape: Vec::new(), data: T::data(vec![T::nearest(sum / total)]) },
        })
    }
}
