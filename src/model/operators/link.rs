//! What makes predictions of the margins that trees give.

use burn_backend::Backend;

use super::{
    super::{Data, Tensor, plan::Kernel},
    OWN, Operator, Refusal, Spec,
    softmax::softmax_f64,
    trees::float_types,
};

pub(in crate::model) const LINK: (&str, &str) = (OWN, "Link");

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == LINK.1).then_some(Operator { types: float_types, kernel: link })
}

/// How margins become predictions. In 32 bits it is computed as XGBoost does it, in 64 bits as LightGBM does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::model) enum Link {
    /// `1 / (1 + exp(-slope * x))`.
    Logistic { slope: f64 },
    /// `exp(x)`.
    Exp,
    /// `log(1 + exp(x))`.
    Softplus,
    /// The square, with the sign of what it is the square of.
    SignedSquare,
    /// 1 for what is positive, 0 for what is not.
    Step,
    /// Probabilities of the classes.
    Softmax,
    /// The number of the first of the likeliest classes.
    Argmax,
}

fn link<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let link = spec.link("link")?;
    Ok(Kernel::host(move |args| {
        let Tensor { mut shape, data } = args.take(0)?;
        let columns = shape.get(1).copied().unwrap_or(1).max(1);
        let data = match data {
            Data::F32(values) => Data::F32(narrow(link, values, columns)),
            Data::F64(values) => Data::F64(wide(link, values, columns)),
            other => return Err(format!("it does not compute with {}", other.dtype())),
        };
        if link == Link::Argmax {
            shape.truncate(1);
        }
        Ok(Tensor { shape, data })
    }))
}

fn narrow(link: Link, mut margins: Vec<f32>, columns: usize) -> Vec<f32> {
    let mut each = |f: fn(f32) -> f32| margins.iter_mut().for_each(|margin| *margin = f(*margin));
    match link {
        Link::Logistic { slope } => {
            let slope = slope as f32;
            margins.iter_mut().for_each(|margin| *margin = logistic(slope * *margin));
        }
        Link::Exp => each(f32::exp),
        Link::Softplus => each(|margin| margin.exp().ln_1p()),
        Link::SignedSquare => each(|margin| margin.abs() * margin),
        Link::Step => each(|margin| f32::from(u8::from(margin > 0.0))),
        Link::Softmax => margins.chunks_exact_mut(columns).for_each(softmax),
        Link::Argmax => return margins.chunks_exact(columns).map(|row| first_greatest(row) as f32).collect(),
    }
    margins
}

fn wide(link: Link, mut margins: Vec<f64>, columns: usize) -> Vec<f64> {
    let mut each = |f: fn(f64) -> f64| margins.iter_mut().for_each(|margin| *margin = f(*margin));
    match link {
        Link::Logistic { slope } => {
            margins.iter_mut().for_each(|margin| *margin = 1.0 / (1.0 + (-slope * *margin).exp()));
        }
        Link::Exp => each(f64::exp),
        Link::Softplus => each(|margin| margin.exp().ln_1p()),
        Link::SignedSquare => each(|margin| margin.abs() * margin),
        Link::Step => each(|margin| f64::from(u8::from(margin > 0.0))),
        Link::Softmax => margins.chunks_exact_mut(columns).for_each(|row| softmax_f64(row, false)),
        Link::Argmax => return margins.chunks_exact(columns).map(|row| first_greatest(row) as f64).collect(),
    }
    margins
}

/// XGBoost's logistic function: the exponential does not overflow, so the least probability is not quite zero.
fn logistic(margin: f32) -> f32 {
    1.0 / ((-margin).min(88.7).exp() + 1.0)
}

/// XGBoost's softmax: the sum alone is in 64 bits.
fn softmax(margins: &mut [f32]) {
    let most = margins.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0_f64;
    for margin in margins.iter_mut() {
        *margin = (*margin - most).exp();
        sum += f64::from(*margin);
    }
    margins.iter_mut().for_each(|margin| *margin /= sum as f32);
}

fn first_greatest<T: PartialOrd>(margins: &[T]) -> usize {
    let mut best = 0;
    for (index, margin) in margins.iter().enumerate().skip(1) {
        if *margin > margins[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_counted_from_the_first_of_equals() {
        let margins = vec![0.0, 1.0, 1.0, -3.0, -2.0, -4.0];
        assert_eq!(narrow(Link::Argmax, margins, 3), [1.0, 1.0]);
        assert_eq!(wide(Link::Argmax, vec![2.0, 2.0], 1), [0.0, 0.0]);
    }

    #[test]
    fn links_hold_at_both_ends() {
        let ends = [f32::NEG_INFINITY, -0.0, f32::INFINITY];
        let of = |link| narrow(link, ends.to_vec(), 1);
        assert_eq!(of(Link::Step), [0.0, 0.0, 1.0]);
        assert_eq!(of(Link::Exp), [0.0, 1.0, f32::INFINITY]);
        assert_eq!(of(Link::SignedSquare), ends);
        assert_eq!(of(Link::Logistic { slope: 1.0 })[1..], [0.5, 1.0]);
        assert_eq!(wide(Link::Logistic { slope: 2.0 }, vec![-0.5], 1), [1.0 / (1.0 + 1.0_f64.exp())]);
    }
}
