//! The functions that a recurrent layer may apply to its gates.

use super::super::{Refusal, Spec, float::Float};

/// A function with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Relu,
    Tanh,
    Sigmoid,
    Softsign,
    Softplus,
    Affine(f64, f64),
    LeakyRelu(f64),
    ThresholdedRelu(f64),
    ScaledTanh(f64, f64),
    HardSigmoid(f64, f64),
    Elu(f64),
}

impl Function {
    /// The functions that the attributes name, `count` in all; those of `default` again and again where none are named.
    pub(super) fn listed(
        spec: &Spec<'_>,
        default: &[Function],
        count: usize,
    ) -> Result<Vec<Function>, Refusal> {
        let Some(names) = spec.texts("activations")? else {
            return Ok(default.iter().copied().cycle().take(count).collect());
        };
        if names.len() != count {
            return Err(Refusal::invalid(format!("it names {} activations, not {count}", names.len())));
        }
        let mut alphas = spec.floats("activation_alpha")?.unwrap_or_default().iter().copied().map(f64::from);
        let mut betas = spec.floats("activation_beta")?.unwrap_or_default().iter().copied().map(f64::from);
        // A function takes the next parameter only if it has one.
        let mut alpha = |default: Option<f64>| alphas.next().or(default);
        let mut beta = |default: Option<f64>| betas.next().or(default);
        let function = |name: &String| {
            Some(match name.as_str() {
                "Relu" => Function::Relu,
                "Tanh" => Function::Tanh,
                "Sigmoid" => Function::Sigmoid,
                "Softsign" => Function::Softsign,
                "Softplus" => Function::Softplus,
                "Affine" => Function::Affine(alpha(None)?, beta(None)?),
                "LeakyRelu" => Function::LeakyRelu(alpha(Some(0.01))?),
                "ThresholdedRelu" => Function::ThresholdedRelu(alpha(Some(1.0))?),
                "ScaledTanh" => Function::ScaledTanh(alpha(None)?, beta(None)?),
                "HardSigmoid" => Function::HardSigmoid(alpha(Some(0.2))?, beta(Some(0.5))?),
                "Elu" => Function::Elu(alpha(Some(1.0))?),
                _ => return None,
            })
        };
        let unknown =
            || Refusal::unsupported(format!("one of its activations {names:?}, or that without parameters"));
        names.iter().map(function).collect::<Option<_>>().ok_or_else(unknown)
    }

    pub(super) fn apply<T: Float>(self, values: &mut [T]) {
        let of = T::nearest;
        let each = |values: &mut [T], function: &dyn Fn(T) -> T| {
            values.iter_mut().for_each(|value| *value = function(*value));
        };
        match self {
            Function::Tanh => values.iter_mut().for_each(|value| *value = value.tanh()),
            Function::Sigmoid => values.iter_mut().for_each(|value| *value = sigmoid(*value)),
            Function::Relu => values.iter_mut().for_each(|value| {
                if *value < T::zero() {
                    *value = T::zero();
                }
            }),
            Function::Softsign => each(values, &|x| x / (T::one() + x.abs())),
            Function::Softplus => each(values, &|x| x.max(T::zero()) + (-x.abs()).exp().ln_1p()),
            Function::Affine(alpha, beta) => each(values, &|x| of(alpha) * x + of(beta)),
            Function::LeakyRelu(alpha) => each(values, &|x| if x < T::zero() { of(alpha) * x } else { x }),
            Function::ThresholdedRelu(alpha) => {
                each(values, &|x| if x < of(alpha) { T::zero() } else { x });
            }
            Function::ScaledTanh(alpha, beta) => each(values, &|x| of(alpha) * (of(beta) * x).tanh()),
            Function::HardSigmoid(alpha, beta) => {
                each(values, &|x| (of(alpha) * x + of(beta)).max(T::zero()).min(T::one()));
            }
            Function::Elu(alpha) => each(values, &|x| if x < T::zero() { of(alpha) * x.exp_m1() } else { x }),
        }
    }
}

fn sigmoid<T: Float>(x: T) -> T {
    T::one() / (T::one() + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_at_the_edges_of_what_they_do() {
        let value = |function: Function, x: f64| {
            let mut values = [x];
            function.apply(&mut values);
            values[0]
        };
        assert_eq!(value(Function::HardSigmoid(0.2, 0.5), 9.0), 1.0);
        assert_eq!(value(Function::ThresholdedRelu(1.0), 1.0), 1.0);
        assert_eq!(value(Function::Softplus, 1000.0), 1000.0);
        assert_eq!(value(Function::Sigmoid, -1000.0), 0.0);
        assert_eq!(value(Function::Affine(2.0, 1.0), 3.0), 7.0);
        assert!(value(Function::Relu, f64::NAN).is_nan());
    }
}
