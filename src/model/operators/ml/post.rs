//! What a model does with its scores before it gives them.

use super::{Refusal, Spec, softmax_f32};

/// The attribute `post_transform`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    None,
    Logistic,
    Softmax,
    /// Softmax that leaves scores of zero at zero.
    SoftmaxZero,
}

impl Post {
    pub(super) fn new(spec: &Spec<'_>) -> Result<Post, Refusal> {
        match spec.text("post_transform", "NONE")? {
            "NONE" => Ok(Post::None),
            "LOGISTIC" => Ok(Post::Logistic),
            "SOFTMAX" => Ok(Post::Softmax),
            "SOFTMAX_ZERO" => Ok(Post::SoftmaxZero),
            // Runtimes approximate the inverse error function differently.
            "PROBIT" => Err(Refusal::unsupported("post_transform PROBIT")),
            other => Err(Refusal::invalid(format!("post_transform `{other}` does not exist"))),
        }
    }

    /// Applies it to the scores of one row.
    pub(super) fn apply(self, scores: &mut [f32]) {
        match self {
            Post::None => {}
            Post::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
            Post::Softmax => softmax_f32(scores, false),
            Post::SoftmaxZero => softmax_zero(scores),
        }
    }
}

/// The logistic function, rounded once: what is improbable keeps its digits.
pub(super) fn logistic(score: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(score)).exp())) as f32
}

fn softmax_zero(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        // ONNX Runtime's idea of zero.
        if score.abs() > 0.000_000_1 {
            *score = (*score - most).exp();
            sum += *score;
        } else {
            *score *= (-most).exp();
        }
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_zero_leaves_zero() {
        let mut scores = [0.0, 2.0, 2.0];
        Post::SoftmaxZero.apply(&mut scores);
        assert_eq!(scores, [0.0, 0.5, 0.5]);
    }

    #[test]
    fn what_is_improbable_keeps_its_digits() {
        assert_eq!(logistic(0.0), 0.5);
        assert_eq!(logistic(-20.0), 2.061_153_6e-9);
        assert_eq!((logistic(f32::NEG_INFINITY), logistic(f32::INFINITY)), (0.0, 1.0));
    }
}
