//! Whether two tensors are equal, as far as floats are.

use super::super::{Data, Tensor, tensor::each_data};

/// How far floats may differ: `|given - expected| <= atol + rtol * |expected|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// In proportion to what is expected.
    pub rtol: f64,
    /// In any case.
    pub atol: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance { rtol: 1e-3, atol: 1e-5 }
    }
}

/// The first difference between two tensors, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

/// Compares a result with what is expected; the largest difference of floats, or why they are not equal.
///
/// NaN equals NaN; types and shapes are equal, and so is everything that is not float.
pub fn compare(given: &Tensor, expected: &Tensor, tolerance: Tolerance) -> (f64, Result<(), Mismatch>) {
    if given.dtype() != expected.dtype() || given.shape != expected.shape {
        let text = |tensor: &Tensor| format!("{} {:?}", tensor.dtype(), tensor.shape);
        return (0.0, Err(Mismatch(format!("expected {}, given {}", text(expected), text(given)))));
    }
    match (&given.data, &expected.data) {
        (Data::F32(given), Data::F32(expected)) => {
            let pairs = given.iter().zip(expected).map(|(&given, &expected)| (given.into(), expected.into()));
            floats(pairs, tolerance)
        }
        (Data::F64(given), Data::F64(expected)) => {
            floats(given.iter().copied().zip(expected.iter().copied()), tolerance)
        }
        (Data::F16(given), Data::F16(expected)) => floats(
            given.iter().map(|value| value.to_f64()).zip(expected.iter().map(|value| value.to_f64())),
            tolerance,
        ),
        (same, expected) if same == expected => (0.0, Ok(())),
        (_, expected) => {
            let mismatch = each_data!(expected, expected => given.view().like(expected).map(|given| first(given, expected)));
            (0.0, Err(mismatch.unwrap_or_else(|| Mismatch("the types differ".to_owned()))))
        }
    }
}

fn first<T: PartialEq + std::fmt::Debug>(given: &[T], expected: &[T]) -> Mismatch {
    let place = given.iter().zip(expected).position(|(given, expected)| given != expected).unwrap_or(0);
    Mismatch(format!("element {place}: expected {:?}, given {:?}", expected.get(place), given.get(place)))
}

fn floats(pairs: impl Iterator<Item = (f64, f64)>, tolerance: Tolerance) -> (f64, Result<(), Mismatch>) {
    let mut most: f64 = 0.0;
    let mut result = Ok(());
    for (place, (given, expected)) in pairs.enumerate() {
        if given == expected || (given.is_nan() && expected.is_nan()) {
            continue;
        }
        let error = (given - expected).abs();
        if error.is_finite() {
            most = most.max(error);
        }
        let within = error <= tolerance.atol + tolerance.rtol * expected.abs() && expected.is_finite();
        if !within && result.is_ok() {
            result = Err(Mismatch(format!("element {place}: expected {expected}, given {given}")));
        }
    }
    (most, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_may_differ_by_the_tolerance_and_no_more() {
        let tolerance = Tolerance { rtol: 0.0, atol: 0.5 };
        let expected = Tensor::f32([2], vec![1.0, f32::NAN]);
        let near = Tensor::f32([2], vec![1.5, f32::NAN]);
        assert_eq!(compare(&near, &expected, tolerance), (0.5, Ok(())));
        let far = Tensor::f32([2], vec![1.75, f32::NAN]);
        let mismatch = Mismatch("element 0: expected 1, given 1.75".into());
        assert_eq!(compare(&far, &expected, tolerance), (0.75, Err(mismatch)));
        let none = Tensor::f32([2], vec![1.0, 0.0]);
        assert!(compare(&none, &expected, tolerance).1.is_err());
        let endless = Tensor::f32([1], vec![f32::INFINITY]);
        assert_eq!(compare(&endless, &endless, tolerance), (0.0, Ok(())));
        assert!(compare(&Tensor::f32([1], vec![1.0]), &endless, tolerance).1.is_err());
    }

    #[test]
    fn types_shapes_and_labels_are_equal_or_not() {
        let tolerance = Tolerance::default();
        let mismatch =
            compare(&Tensor::i64([1], vec![1]), &Tensor::f32([1], vec![1.0]), tolerance).1.unwrap_err();
        assert_eq!(mismatch.0, "expected f32 [1], given i64 [1]");
        let mismatch =
            compare(&Tensor::i64([2], vec![1, 2]), &Tensor::i64([2], vec![1, 3]), tolerance).1.unwrap_err();
        assert_eq!(mismatch.0, "element 1: expected Some(3), given Some(2)");
    }
}
