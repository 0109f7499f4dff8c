//! Support vector machines: SVMRegressor and SVMClassifier. They are computed in 64 bits, as libsvm does.

use std::ops::Range;

use burn_backend::Backend;
use smallvec::smallvec;

use super::{
    super::super::{
        DType, Tensor, TensorView,
        plan::{Kernel, Reason},
    },
    Operator, Refusal, Spec, cast,
    classes::classes,
    coupling::{Platt, couple},
    matrix, numbers,
    post::Post,
    similarity::Similarity,
    wide,
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "SVMRegressor" => Operator { types: regressor_types, kernel: regressor },
        "SVMClassifier" => Operator { types: classifier_types, kernel: classifier },
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

/// Gives each row's similarities to `each`; tells how many rows there are.
fn rows(
    similarity: &Similarity,
    view: TensorView<'_>,
    mut each: impl FnMut(&[f64]),
) -> Result<usize, Reason> {
    let (rows, columns) = matrix(view.shape())?;
    if columns != similarity.features() {
        let features = similarity.features();
        return Err(format!("rows of {columns} columns do not fit support vectors of {features}"));
    }
    let mut similarities = Vec::new();
    for row in cast::to_f64(view)?.chunks_exact(columns) {
        similarity.of(row, &mut similarities);
        each(&similarities);
    }
    Ok(rows)
}

fn weighted(similarities: &[f64], coefficients: &[f64]) -> f64 {
    similarities.iter().zip(coefficients).map(|(similarity, coefficient)| similarity * coefficient).sum()
}

fn regressor<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    if Post::new(spec)? != Post::None {
        return Err(Refusal::unsupported("post_transform of a single score"));
    }
    let coefficients = spec.floats("coefficients")?.unwrap_or_default();
    let (similarity, coefficients) = match usize::try_from(spec.int("n_supports", 0)?) {
        Ok(0) if !coefficients.is_empty() => (Similarity::linear(coefficients), vec![1.0]),
        Ok(count) if count == coefficients.len() => (Similarity::new(spec, count)?, wide(coefficients)),
        _ => return Err(Refusal::invalid("it has not one coefficient a support vector")),
    };
    let Some(&[intercept]) = spec.floats("rho")? else {
        return Err(Refusal::invalid("it has not one `rho`"));
    };
    let one_class = spec.flag("one_class", false)?;
    Ok(Kernel::host(move |args| {
        let mut scores = Vec::new();
        let rows = rows(&similarity, args.view(0)?, |similarities| {
            let score = weighted(similarities, &coefficients) + f64::from(intercept);
            scores.push(match one_class {
                true if score > 0.0 => 1.0,
                true => -1.0,
                false => score as f32,
            });
        })?;
        Ok(Tensor::f32([rows, 1], scores))
    }))
}

/// Machines for each pair of classes, over the same support vectors.
struct Pairs {
    similarity: Similarity,
    /// The support vectors of each class.
    vectors: Vec<Range<usize>>,
    /// Row `r` has for each support vector its coefficient against the `r`-th class that is not its own.
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
}

impl Pairs {
    fn new(spec: &Spec<'_>, classes: usize) -> Result<Pairs, Refusal> {
        let mut vectors = Vec::with_capacity(classes);
        let mut count = 0_usize;
        for &own in spec.ints("vectors_per_class")?.unwrap_or_default() {
            let end = usize::try_from(own).ok().and_then(|own| count.checked_add(own));
            let end = end.ok_or_else(|| Refusal::invalid(format!("a class has {own} support vectors")))?;
            vectors.push(count..end);
            count = end;
        }
        if count == 0 {
            return Err(Refusal::unsupported("a classifier without support vectors"));
        }
        let similarity = Similarity::new(spec, count)?;
        let coefficients = spec.floats("coefficients")?.unwrap_or_default();
        let intercepts = wide(spec.floats("rho")?.unwrap_or_default());
        let fits = classes > 1
            && vectors.len() == classes
            && coefficients.len() == (classes - 1).saturating_mul(count)
            && intercepts.len() == pair_count(classes);
        if !fits {
            return Err(Refusal::invalid(format!("its coefficients do not fit {classes} classes")));
        }
        Ok(Pairs {
            similarity,
            vectors,
            coefficients: coefficients.chunks_exact(count).map(wide).collect(),
            intercepts,
        })
    }

    /// The score of each pair: positive for its first class.
    fn scores(&self, similarities: &[f64], scores: &mut Vec<f64>) {
        scores.clear();
        scores.extend(pairs(self.vectors.len()).zip(&self.intercepts).map(|((i, j), intercept)| {
            let against = |class: usize, row: usize| {
                let own = self.vectors[class].clone();
                weighted(&similarities[own.clone()], &self.coefficients[row][own])
            };
            against(i, j - 1) + against(j, i) + intercept
        }));
    }
}

/// All pairs of classes, in the order that machines are in.
fn pairs(classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..classes).flat_map(move |i| (i + 1..classes).map(move |j| (i, j)))
}

fn pair_count(classes: usize) -> usize {
    classes.saturating_mul(classes.saturating_sub(1)) / 2
}

/// The class that wins most pairs, the first of several.
fn winner(classes: usize, scores: &[f64]) -> usize {
    let mut votes = vec![0; classes];
    for ((i, j), score) in pairs(classes).zip(scores) {
        votes[if *score > 0.0 { i } else { j }] += 1;
    }
    let most = votes.iter().max().copied().unwrap_or(0);
    votes.iter().position(|&count: &usize| count == most).unwrap_or(0)
}

/// What a classifier gives beside its labels.
enum Beside {
    /// The scores of all pairs; of a single pair for and against it.
    Scores,
    Probabilities(Vec<Platt>),
}

impl Beside {
    fn new(spec: &Spec<'_>, classes: usize) -> Result<Beside, Refusal> {
        let (a, b) = (spec.floats("prob_a")?.unwrap_or_default(), spec.floats("prob_b")?.unwrap_or_default());
        if a.is_empty() && b.is_empty() {
            return Ok(Beside::Scores);
        }
        if [a.len(), b.len()] != [pair_count(classes); 2] {
            return Err(Refusal::invalid(format!("`prob_a` and `prob_b` do not fit {classes} classes")));
        }
        let platt = |(&a, &b): (&f32, &f32)| Platt { a: a.into(), b: b.into() };
        Ok(Beside::Probabilities(a.iter().zip(b).map(platt).collect()))
    }

    fn of(&self, classes: usize, scores: &[f64]) -> Vec<f64> {
        match (self, scores) {
            (Beside::Scores, [score]) => vec![-score, *score],
            (Beside::Scores, scores) => scores.to_vec(),
            (Beside::Probabilities(platts), scores) => {
                let first: Vec<f64> =
                    platts.iter().zip(scores).map(|(platt, score)| platt.first(*score)).collect();
                // How many pairs come before those of class `i`, and before that with `j` among them.
                couple(classes, |i, j| first[i * (2 * classes - i - 1) / 2 + j - i - 1])
            }
        }
    }
}

fn classifier<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let labels = classes(spec, "classlabels_ints")?;
    let classes = labels.len();
    let machines = Pairs::new(spec, classes)?;
    let beside = Beside::new(spec, classes)?;
    let post = Post::new(spec)?;
    if classes == 2 && post != Post::None && matches!(beside, Beside::Scores) {
        return Err(Refusal::unsupported("post_transform of a single score"));
    }
    Ok(Kernel::host_many(move |args| {
        let (mut scores, mut all, mut chosen) = (Vec::new(), Vec::new(), Vec::new());
        let width =
            if matches!(beside, Beside::Scores) && classes > 2 { pair_count(classes) } else { classes };
        let rows = rows(&machines.similarity, args.view(0)?, |similarities| {
            machines.scores(similarities, &mut scores);
            chosen.push(winner(classes, &scores));
            all.extend(beside.of(classes, &scores).into_iter().map(|score| score as f32));
        })?;
        all.chunks_exact_mut(width).for_each(|row| post.apply(row));
        Ok(smallvec![labels.of(&chosen), Tensor::f32([rows, width], all)])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_numbered_in_their_order() {
        let all: Vec<_> = pairs(4).collect();
        assert_eq!(all, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
        assert_eq!(all.len(), pair_count(4));
        for (number, (i, j)) in all.into_iter().enumerate() {
            assert_eq!(number, i * (2 * 4 - i - 1) / 2 + j - i - 1);
        }
    }

    #[test]
    fn of_classes_with_as_many_votes_the_first_wins() {
        assert_eq!(winner(3, &[1.0, -1.0, 1.0]), 0);
        assert_eq!(winner(3, &[-1.0, -1.0, 1.0]), 1);
        assert_eq!(winner(2, &[0.0]), 1);
    }
}
