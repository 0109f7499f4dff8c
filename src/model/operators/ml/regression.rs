//! Linear models, summed in 64 bits: a score near zero decides between classes.

use burn_backend::Backend;
use pulp::Arch;
use smallvec::smallvec;

use super::{
    super::super::{
        DType, Labels, Tensor, TensorView,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, cast,
    classes::{classes, greatest},
    matrix, numbers,
    post::Post,
    wide,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "LinearRegressor" => Operator { types: regressor_types, kernel: regressor },
        "LinearClassifier" => Operator { types: classifier_types, kernel: classifier },
        _ => return None,
    })
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
    arch: Arch,
    features: usize,
    /// A row a target.
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
}

impl Linear {
    fn new(spec: &Spec<'_>, targets: usize) -> Result<Linear, Refusal> {
        let coefficients = spec.floats("coefficients")?.unwrap_or_default();
        if targets == 0 || coefficients.is_empty() || coefficients.len() % targets != 0 {
            let reason = format!("{} coefficients do not make {targets} targets", coefficients.len());
            return Err(Refusal::invalid(reason));
        }
        let intercepts = match spec.floats("intercepts")? {
            Some(intercepts) if intercepts.len() == targets => wide(intercepts),
            Some([]) | None => vec![0.0; targets],
            Some(other) => {
                return Err(Refusal::invalid(format!(
                    "{} intercepts do not make {targets} targets",
                    other.len()
                )));
            }
        };
        let features = coefficients.len() / targets;
        Ok(Linear { arch: Arch::new(), features, coefficients: wide(coefficients), intercepts })
    }

    fn scores(&self, view: TensorView<'_>) -> Result<(usize, Vec<f32>), Reason> {
        let (rows, columns) = matrix(view.shape())?;
        if columns != self.features {
            return Err(format!("rows of {columns} columns do not fit coefficients of {}", self.features));
        }
        let scores = match view {
            TensorView::F32 { data, .. } => self.multiply(data),
            TensorView::F64 { data, .. } => self.multiply(data),
            other => self.multiply(&cast::to_f64(other)?),
        };
        Ok((rows, scores))
    }

    fn multiply<T: Copy + Into<f64>>(&self, data: &[T]) -> Vec<f32> {
        let mut scores = vec![0.0; data.len() / self.features * self.intercepts.len()];
        self.arch.dispatch(
            #[inline(always)]
            || {
                let rows = data.chunks_exact(self.features);
                for (row, scores) in rows.zip(scores.chunks_exact_mut(self.intercepts.len())) {
                    let targets = self.coefficients.chunks_exact(self.features).zip(&self.intercepts);
                    for (score, (weights, start)) in scores.iter_mut().zip(targets) {
                        *score = (dot(row, weights) + start) as f32;
                    }
                }
            },
        );
        scores
    }
}

/// Products summed side by side, for the sums of one chain would wait for each other.
#[inline(always)]
fn dot<T: Copy + Into<f64>>(row: &[T], weights: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (rows, last_row) = row.as_chunks::<LANES>();
    let (all, last) = weights.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (row, weights) in rows.iter().zip(all) {
        for ((sum, value), weight) in sums.iter_mut().zip(row).zip(weights) {
            *sum += (*value).into() * weight;
        }
    }
    for ((sum, value), weight) in sums.iter_mut().zip(last_row).zip(last) {
        *sum += (*value).into() * weight;
    }
    sums.iter().sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_summed() {
        for count in 0..20 {
            let row: Vec<f32> = (0..count).map(|column| column as f32).collect();
            let weights: Vec<f64> = (0..count).map(|column| f64::from(column) - 3.0).collect();
            let expected: f64 = (0..count).map(|column| f64::from(column * (column - 3))).sum();
            assert_eq!(dot(&row, &weights), expected);
        }
    }
}
