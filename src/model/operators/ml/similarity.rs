//! The kernels of support vector machines: how alike a row is to each support vector.

use super::{Refusal, Spec, wide};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Linear,
    Poly { gamma: f64, coef0: f64, degree: f64 },
    Rbf { gamma: f64 },
    Sigmoid { gamma: f64, coef0: f64 },
}

/// Support vectors and the kernel that rows are compared with them by, in 64 bits.
#[derive(Debug)]
pub(super) struct Similarity {
    kind: Kind,
    features: usize,
    vectors: Vec<f64>,
}

impl Similarity {
    /// Reads `count` support vectors.
    pub(super) fn new(spec: &Spec<'_>, count: usize) -> Result<Similarity, Refusal> {
        let vectors = spec.floats("support_vectors")?.unwrap_or_default();
        if count == 0 || vectors.is_empty() || vectors.len() % count != 0 {
            return Err(Refusal::invalid(format!(
                "{} numbers do not make {count} support vectors",
                vectors.len()
            )));
        }
        Ok(Similarity { kind: kind(spec)?, features: vectors.len() / count, vectors: wide(vectors) })
    }

    /// One vector of coefficients, which a linear machine is.
    pub(super) fn linear(coefficients: &[f32]) -> Similarity {
        Similarity { kind: Kind::Linear, features: coefficients.len(), vectors: wide(coefficients) }
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// How alike a row of that many features is to each support vector.
    pub(super) fn of(&self, row: &[f64], out: &mut Vec<f64>) {
        out.clear();
        out.extend(self.vectors.chunks_exact(self.features).map(|vector| {
            let pairs = || row.iter().zip(vector);
            let product = || pairs().map(|(x, v)| x * v).sum::<f64>();
            match self.kind {
                Kind::Linear => product(),
                Kind::Poly { gamma, coef0, degree } => (gamma * product() + coef0).powf(degree),
                Kind::Rbf { gamma } => (-gamma * pairs().map(|(x, v)| (x - v).powi(2)).sum::<f64>()).exp(),
                Kind::Sigmoid { gamma, coef0 } => (gamma * product() + coef0).tanh(),
            }
        }));
    }
}

fn kind(spec: &Spec<'_>) -> Result<Kind, Refusal> {
    let [gamma, coef0, degree] = match spec.floats("kernel_params")? {
        None | Some([]) => [0.0; 3],
        Some(&[gamma, coef0, degree]) => [gamma, coef0, degree].map(f64::from),
        Some(other) => {
            return Err(Refusal::invalid(format!("it has {} kernel parameters, not 3", other.len())));
        }
    };
    Ok(match spec.text("kernel_type", "LINEAR")? {
        "LINEAR" => Kind::Linear,
        "POLY" => Kind::Poly { gamma, coef0, degree },
        "RBF" => Kind::Rbf { gamma },
        "SIGMOID" => Kind::Sigmoid { gamma, coef0 },
        other => return Err(Refusal::invalid(format!("kernel_type `{other}` does not exist"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kernel_by_its_formula() {
        let of = |kind| {
            let mut out = Vec::new();
            Similarity { kind, features: 2, vectors: vec![1.0, 2.0, 0.0, 0.0] }.of(&[3.0, 1.0], &mut out);
            out
        };
        assert_eq!(of(Kind::Linear), [5.0, 0.0]);
        assert_eq!(of(Kind::Poly { gamma: 2.0, coef0: 1.0, degree: 3.0 }), [1331.0, 1.0]);
        assert_eq!(of(Kind::Rbf { gamma: 0.5 }), [(-2.5_f64).exp(), (-5.0_f64).exp()]);
        assert_eq!(of(Kind::Sigmoid { gamma: 0.1, coef0: -0.5 }), [0.0, (-0.5_f64).tanh()]);
    }
}
