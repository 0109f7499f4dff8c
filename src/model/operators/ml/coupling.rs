//! Probabilities of classes from those of pairs: the second method of Wu, Lin and Weng, "Probability Estimates for
//! Multi-class Classification by Pairwise Coupling" (2004), to the tolerance and the number of rounds of libsvm.

/// Probabilities are kept this far from certainty.
const LEAST: f64 = 1e-7;
/// Rounds after which the estimate is taken as it is.
const ROUNDS: usize = 100;

/// The parameters of a sigmoid over the score of one pair of classes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Platt {
    pub(super) a: f64,
    pub(super) b: f64,
}

impl Platt {
    /// How probable the first class of the pair is.
    pub(super) fn first(self, score: f64) -> f64 {
        (1.0 / (1.0 + (self.a * score + self.b).exp())).clamp(LEAST, 1.0 - LEAST)
    }
}

/// For each of `classes` its probability, where `first(i, j)` tells how probable class `i` is against `j`.
pub(super) fn couple(classes: usize, first: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let against = |i: usize, j: usize| if i < j { first(i, j) } else { 1.0 - first(j, i) };
    let mut matrix = vec![vec![0.0; classes]; classes];
    for (i, row) in matrix.iter_mut().enumerate() {
        for j in (0..classes).filter(|&j| j != i) {
            row[i] += against(j, i).powi(2);
            row[j] = -against(j, i) * against(i, j);
        }
    }
    let mut p = vec![1.0 / classes as f64; classes];
    let tolerance = 0.005 / classes as f64;
    for _ in 0..ROUNDS.max(classes) {
        let mut products: Vec<f64> =
            matrix.iter().map(|row| row.iter().zip(&p).map(|(q, p)| q * p).sum()).collect();
        let mut whole: f64 = p.iter().zip(&products).map(|(p, product)| p * product).sum();
        if products.iter().all(|product| (product - whole).abs() < tolerance) {
            break;
        }
        for i in 0..classes {
            let step = (whole - products[i]) / matrix[i][i];
            p[i] += step;
            whole = (whole + step * (step * matrix[i][i] + 2.0 * products[i])) / (1.0 + step).powi(2);
            for j in 0..classes {
                products[j] = (products[j] + step * matrix[i][j]) / (1.0 + step);
                p[j] /= 1.0 + step;
            }
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_that_agree_with_all_pairs_are_found_again() {
        let p = [0.5, 0.2, 0.3];
        let found = couple(3, |i, j| p[i] / (p[i] + p[j]));
        assert!(found.iter().zip(p).all(|(found, p)| (found - p).abs() < 0.005), "{found:?}");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_certain() {
        let platt = Platt { a: -1.0, b: 0.0 };
        assert_eq!(platt.first(0.0), 0.5);
        assert_eq!(platt.first(1e9), 1.0 - LEAST);
        assert_eq!(platt.first(-1e9), LEAST);
    }
}
