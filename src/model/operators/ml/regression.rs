//! Linear models.

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::{
        super::{
            DType, Labels, Tensor, TensorView,
            plan::{Kernel, Reason},
        },
        panel::Panels,
    },
    Operator, Refusal, Spec, cast,
    classes::{classes, greatest},
    matrix,
    post::Post,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "LinearRegressor" => Operator { types: regressor_types, kernel: regressor },
        "LinearClassifier" => Operator { types: classifier_types, kernel: classifier },
        _ => return None,
    })
}

fn numbers(spec: &Spec<'_>) -> Result<(), Refusal> {
    match spec.dtype(0)? {
        dtype @ (DType::F16 | DType::Bool | DType::Str) => {
            Err(Refusal::invalid(format!("it does not compute with {dtype}")))
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
    Ok(vec![classes(spec, "classlabels_ints")?.dtype(), DType::F32])
}

/// `scores = rows * coefficients + intercepts`, one column a target.
struct Linear {
    features: usize,
    targets: usize,
    panels: Panels,
}

impl Linear {
    fn new(spec: &Spec<'_>, targets: usize) -> Result<Linear, Refusal> {
        let coefficients = spec.floats("coefficients")?.unwrap_or_default();
        if targets == 0 || coefficients.is_empty() || coefficients.len() % targets != 0 {
            let reason = format!("{} coefficients do not make {targets} targets", coefficients.len());
            return Err(Refusal::invalid(reason));
        }
        let intercepts = match spec.floats("intercepts")? {
            Some(intercepts) if intercepts.len() == targets => intercepts.to_vec(),
            Some([]) | None => vec![0.0; targets],
            Some(other) => {
                return Err(Refusal::invalid(format!(
                    "{} intercepts do not make {targets} targets",
                    other.len()
                )));
            }
        };
        let features = coefficients.len() / targets;
        // The file holds a row a target; the panels take a row a feature.
        let at = |index: usize| coefficients[(index % targets) * features + index / targets];
        let turned: Vec<f32> = (0..coefficients.len()).map(at).collect();
        Ok(Linear { features, targets, panels: Panels::new(&turned, &intercepts, targets) })
    }

    fn scores(&self, view: TensorView<'_>) -> Result<(usize, Vec<f32>), Reason> {
        let (rows, columns) = matrix(view.shape())?;
        if columns != self.features {
            return Err(format!("rows of {columns} columns do not fit coefficients of {}", self.features));
        }
        let mut scores = vec![0.0; rows * self.targets];
        let multiply = |data: &[f32], scores: &mut [f32]| {
            for (row, out) in data.chunks_exact(columns.max(1)).zip(scores.chunks_exact_mut(self.targets)) {
                self.panels.multiply(row, out);
            }
        };
        match view {
            TensorView::F32 { data, .. } => multiply(data, &mut scores),
            // ONNX Runtime too goes on in 32 bits.
            other => multiply(&cast::to_f32(other)?, &mut scores),
        }
        Ok((rows, scores))
    }
}

fn regressor<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let targets = usize::try_from(spec.int("targets", 1)?).unwrap_or(0);
    let (linear, post) = (Linear::new(spec, targets)?, Post::new(spec)?);
    Ok(Kernel::host(move |args| {
        let (rows, mut scores) = linear.scores(args.view(0)?)?;
        if targets > 1 {
            scores.chunks_exact_mut(targets).for_each(|row| post.apply(row));
        }
        Ok(Tensor::f32([rows, targets], scores))
    }))
}

fn classifier<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let labels = classes(spec, "classlabels_ints")?;
    let targets = spec.floats("intercepts")?.map_or(labels.len(), <[f32]>::len);
    let (linear, post) = (Linear::new(spec, targets)?, Post::new(spec)?);
    if targets == 1 {
        return one_score(labels, linear, post);
    }
    if labels.len() != targets {
        return Err(Refusal::invalid(format!("it has {targets} targets and {} classes", labels.len())));
    }
    Ok(Kernel::host_many(move |args| {
        let (rows, mut scores) = linear.scores(args.view(0)?)?;
        let mut chosen = Vec::with_capacity(rows);
        for row in scores.chunks_exact_mut(targets) {
            chosen.push(greatest(row));
            post.apply(row);
        }
        Ok(smallvec![labels.of(&chosen), Tensor::f32([rows, targets], scores)])
    }))
}

/// One score for two classes: the second if it is positive.
fn one_score<B: Backend>(labels: Labels, linear: Linear, post: Post) -> Result<Kernel<B>, Refusal> {
    if labels.len() != 2 {
        return Err(Refusal::unsupported(format!("one score for {} classes", labels.len())));
    }
    Ok(Kernel::host_many(move |args| {
        let (rows, scores) = linear.scores(args.view(0)?)?;
        let mut both = Vec::with_capacity(2 * rows);
        let mut chosen = Vec::with_capacity(rows);
        for score in scores {
            chosen.push(usize::from(score > 0.0));
            let mut second = [score];
            if post == Post::Logistic {
                post.apply(&mut second);
            }
            both.extend([1.0 - second[0], second[0]]);
        }
        Ok(smallvec![labels.of(&chosen), Tensor::f32([rows, 2], both)])
    }))
}
