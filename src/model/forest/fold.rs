//! How the weights of the leaves that a row reaches become one number a target.

use super::scalar::Scalar;

/// One way to do it. What is decided here is decided once for all rows, not for each weight.
pub(super) trait Fold<X> {
    /// What a target is between two trees.
    type Sum: Copy;

    /// What it is before the first one.
    fn start(base: f64) -> Self::Sum;

    /// What it is after one weight more.
    fn add(sum: Self::Sum, weight: f64) -> Self::Sum;

    /// The number, after all trees.
    fn end(sum: Self::Sum, base: f64, trees: usize) -> X;
}

pub(super) struct Sum;
pub(super) struct Running;
pub(super) struct Average;
pub(super) struct Min;
pub(super) struct Max;

impl<X: Scalar> Fold<X> for Sum {
    type Sum = f64;

    #[inline(always)]
    fn start(_: f64) -> f64 {
        0.0
    }

    #[inline(always)]
    fn add(sum: f64, weight: f64) -> f64 {
        sum + weight
    }

    fn end(sum: f64, base: f64, _: usize) -> X {
        X::nearest(sum + base)
    }
}

impl<X: Scalar> Fold<X> for Running {
    type Sum = X;

    #[inline(always)]
    fn start(base: f64) -> X {
        X::nearest(base)
    }

    #[inline(always)]
    fn add(sum: X, weight: f64) -> X {
        sum + X::nearest(weight)
    }

    fn end(sum: X, _: f64, _: usize) -> X {
        sum
    }
}

impl<X: Scalar> Fold<X> for Average {
    type Sum = f64;

    #[inline(always)]
    fn start(_: f64) -> f64 {
        0.0
    }

    #[inline(always)]
    fn add(sum: f64, weight: f64) -> f64 {
        sum + weight
    }

    fn end(sum: f64, base: f64, trees: usize) -> X {
        X::nearest(sum / trees as f64 + base)
    }
}

/// The least and the greatest so far are NaN before the first weight.
fn known(sum: f64) -> f64 {
    if sum.is_nan() { 0.0 } else { sum }
}

impl<X: Scalar> Fold<X> for Min {
    type Sum = f64;

    #[inline(always)]
    fn start(_: f64) -> f64 {
        f64::NAN
    }

    #[inline(always)]
    fn add(sum: f64, weight: f64) -> f64 {
        weight.min(sum)
    }

    fn end(sum: f64, base: f64, _: usize) -> X {
        X::nearest(known(sum) + base)
    }
}

impl<X: Scalar> Fold<X> for Max {
    type Sum = f64;

    #[inline(always)]
    fn start(_: f64) -> f64 {
        f64::NAN
    }

    #[inline(always)]
    fn add(sum: f64, weight: f64) -> f64 {
        weight.max(sum)
    }

    fn end(sum: f64, base: f64, _: usize) -> X {
        X::nearest(known(sum) + base)
    }
}
