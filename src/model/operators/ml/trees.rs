//! TreeEnsembleRegressor, TreeEnsembleClassifier and TreeEnsemble over the compiled forest.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::super::{
        DType, Data, Labels, Tensor, TensorView,
        forest::{Ensemble, Forest, Limits},
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, arrays, cast,
    classes::{classes, greatest},
    ensemble::stated,
    matrix,
    post::{Post, logistic},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "TreeEnsembleRegressor" => Operator { types: regressor_types, kernel: regressor },
        "TreeEnsembleClassifier" => Operator { types: classifier_types, kernel: classifier },
        "TreeEnsemble" => Operator { types: ensemble_types, kernel: ensemble },
        _ => return None,
    })
}

fn numbers(spec: &Spec<'_>) -> Result<(), Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compare {dtype}")))
        }
        _ => Ok(()),
    }
}

fn regressor_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    numbers(spec)?;
    Ok(vec![DType::F32])
}

fn classifier_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    numbers(spec)?;
    Ok(vec![classes(spec, "classlabels_int64s")?.dtype(), DType::F32])
}

fn ensemble_types(spec: &Spec<'_>) -> Result<Vec<DType>, Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F32 | DType::F64) => Ok(vec![dtype]),
        dtype => Err(Refusal::invalid(format!("it does not compare {dtype}"))),
    }
}

/// A forest in the width that its numbers are compared in.
enum Trees {
    F32(Forest<f32>),
    F64(Forest<f64>),
}

impl Trees {
    fn compile(spec: &Spec<'_>, ensemble: &Ensemble, wide: bool) -> Result<Trees, Refusal> {
        let limits = Limits { nodes: spec.limits().elements, ..Limits::default() };
        let refuse = |error: crate::types::Error| Refusal::invalid(error.message.into_owned());
        if wide || spec.dtype(0)? == DType::F64 {
            return Ok(Trees::F64(Forest::compile(ensemble, &limits).map_err(refuse)?));
        }
        Ok(Trees::F32(Forest::compile(ensemble, &limits).map_err(refuse)?))
    }

    fn targets(&self) -> usize {
        match self {
            Trees::F32(forest) => forest.targets(),
            Trees::F64(forest) => forest.targets(),
        }
    }

    fn features(&self) -> usize {
        match self {
            Trees::F32(forest) => forest.features(),
            Trees::F64(forest) => forest.features(),
        }
    }

    /// The numbers of each row, in the forest's own width.
    fn numbers(&self, view: TensorView<'_>) -> Result<(usize, Data), Reason> {
        let (rows, columns) = matrix(view.shape())?;
        if columns < self.features() {
            return Err(format!("rows of {columns} columns do not fit trees over {}", self.features()));
        }
        let count = rows * self.targets();
        match self {
            Trees::F32(forest) => {
                let mut numbers = vec![0.0; count];
                match view {
                    TensorView::F32 { data, .. } => forest.sum(data, rows, columns, &mut numbers),
                    other => forest.sum(&cast::to_f32(other)?, rows, columns, &mut numbers),
                }
                Ok((rows, Data::F32(numbers)))
            }
            Trees::F64(forest) => {
                let mut numbers = vec![0.0; count];
                match view {
                    TensorView::F64 { data, .. } => forest.sum(data, rows, columns, &mut numbers),
                    other => forest.sum(&cast::to_f64(other)?, rows, columns, &mut numbers),
                }
                Ok((rows, Data::F64(numbers)))
            }
        }
    }

    /// The scores of each row, in 32 bits whatever was compared.
    fn scores(&self, view: TensorView<'_>) -> Result<(usize, Vec<f32>), Reason> {
        Ok(match self.numbers(view)? {
            (rows, Data::F32(scores)) => (rows, scores),
            (rows, Data::F64(scores)) => (rows, scores.into_iter().map(|score| score as f32).collect()),
            (_, other) => return Err(format!("a forest gave {}", other.dtype())),
        })
    }
}

fn regressor<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let mut stated = stated(spec, "target")?;
    let targets = usize::try_from(spec.int("n_targets", 1)?).unwrap_or(0);
    stated.ensemble.targets = targets;
    if targets == 1 {
        stated.ensemble.keep_first_weights();
    }
    if stated.ensemble.base.len() != targets && !stated.ensemble.base.is_empty() {
        let given = stated.ensemble.base.len();
        return Err(Refusal::invalid(format!("it has {given} base values for {targets} targets")));
    }
    let trees = Trees::compile(spec, &stated.ensemble, stated.wide)?;
    let post = Post::new(spec)?;
    Ok(Kernel::host(move |args| {
        let (rows, mut scores) = trees.scores(args.view(0)?)?;
        // ONNX Runtime leaves the score of a single target as it is.
        if targets > 1 {
            scores.chunks_exact_mut(targets).for_each(|row| post.apply(row));
        }
        Ok(Tensor::f32([rows, targets], scores))
    }))
}

/// Regression as version 5 has it: what comes in gives the width.
fn ensemble<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    if spec.int("post_transform", 0)? != 0 {
        // Runtimes leave a single target as it is, or read the attribute not at all.
        return Err(Refusal::unsupported("a post_transform in version 5"));
    }
    let trees = Trees::compile(spec, &arrays::ensemble(spec)?, false)?;
    Ok(Kernel::host(move |args| {
        let (rows, data) = trees.numbers(args.view(0)?)?;
        Ok(Tensor { shape: vec![rows, trees.targets()], data })
    }))
}

fn classifier<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let mut stated = stated(spec, "class")?;
    let labels = classes(spec, "classlabels_int64s")?;
    let post = Post::new(spec)?;
    let named = |class: u32| {
        stated.ensemble.trees.iter().flat_map(|tree| &tree.weights).any(|weight| weight.target == class)
    };
    let (count, bases) = (labels.len(), stated.ensemble.base.len());
    if count < 2 {
        return Err(Refusal::unsupported("a classifier of one class"));
    }
    if count == 2 && !named(1) {
        if bases > 1 {
            return Err(Refusal::unsupported("two base values for one score"));
        }
        let trees = Trees::compile(spec, &stated.ensemble, stated.wide)?;
        return Ok(one_score(labels, trees, post, stated.all_positive));
    }
    if count == 2 && !named(0) {
        return Err(Refusal::unsupported("two classes and scores for the second alone"));
    }
    if bases != 0 && bases != count {
        return Err(Refusal::invalid(format!("it has {bases} base values for {count} classes")));
    }
    stated.ensemble.targets = count;
    let trees = Trees::compile(spec, &stated.ensemble, stated.wide)?;
    Ok(Kernel::host_many(move |args| {
        let (rows, mut scores) = trees.scores(args.view(0)?)?;
        let mut chosen = Vec::with_capacity(rows);
        for row in scores.chunks_exact_mut(count) {
            chosen.push(greatest(row));
            post.apply(row);
        }
        Ok(smallvec![labels.of(&chosen), Tensor::f32([rows, count], scores)])
    }))
}

/// One score for two classes: a probability if no weight is negative and nothing is applied to it, else a margin.
///
/// With LOGISTIC the margin is cut at 0, where the probability is one half, even if no weight is negative: so do the
/// libraries that such models come from. ONNX Runtime cuts at 0.5 there.
fn one_score<B: Backend>(labels: Labels, trees: Trees, post: Post, all_positive: bool) -> Kernel<B> {
    let probability = all_positive && post != Post::Logistic;
    Kernel::host_many(move |args| {
        let (rows, scores) = trees.scores(args.view(0)?)?;
        let mut both = Vec::with_capacity(2 * rows);
        let mut chosen = Vec::with_capacity(rows);
        for score in scores {
            chosen.push(usize::from(score > if probability { 0.5 } else { 0.0 }));
            both.extend(match post {
                Post::Logistic => [logistic(-score), logistic(score)],
                _ if probability => [1.0 - score, score],
                _ => [-score, score],
            });
        }
        Ok(smallvec![labels.of(&chosen), Tensor::f32([rows, 2], both)])
    })
}
