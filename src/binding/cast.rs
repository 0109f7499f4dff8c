//! Casts to a model's element types, as numpy's `astype` does them on x86-64.

use crate::row::{RowRef, Scalar};

/// An element of a model's input.
pub(super) trait Element: Copy {
    /// What a null or NaN becomes; none if the type has no such value.
    const NAN: Option<Self>;

    /// A column's value; none if it is null.
    fn read(row: &RowRef<'_>, column: usize) -> Option<Self>;

    /// An expression's value; none if it is null.
    fn cast(value: Scalar<'_>) -> Option<Self>;

    /// An element of a vector column.
    fn from_f32(value: f32) -> Self;

    /// Whether it is NaN itself. Where the type cannot tell, the source has to be asked.
    fn is_nan(self) -> bool {
        false
    }
}

impl Element for f32 {
    const NAN: Option<f32> = Some(f32::NAN);

    fn read(row: &RowRef<'_>, column: usize) -> Option<f32> {
        row.f32(column)
    }

    fn cast(value: Scalar<'_>) -> Option<f32> {
        value.as_f32()
    }

    fn from_f32(value: f32) -> f32 {
        value
    }

    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
}

impl Element for f64 {
    const NAN: Option<f64> = Some(f64::NAN);

    fn read(row: &RowRef<'_>, column: usize) -> Option<f64> {
        row.f64(column)
    }

    fn cast(value: Scalar<'_>) -> Option<f64> {
        value.as_f64()
    }

    fn from_f32(value: f32) -> f64 {
        f64::from(value)
    }

    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
}

impl Element for i64 {
    const NAN: Option<i64> = None;

    fn read(row: &RowRef<'_>, column: usize) -> Option<i64> {
        row.i64(column)
    }

    fn cast(value: Scalar<'_>) -> Option<i64> {
        value.as_i64()
    }

    fn from_f32(value: f32) -> i64 {
        // A number always casts.
        Scalar::F32(value).as_i64().unwrap_or(i64::MIN)
    }
}

impl Element for i32 {
    const NAN: Option<i32> = None;

    fn read(row: &RowRef<'_>, column: usize) -> Option<i32> {
        i32::cast(row.value(column))
    }

    fn cast(value: Scalar<'_>) -> Option<i32> {
        match value {
            Scalar::F32(value) => Some(truncate(f64::from(value))),
            Scalar::F64(value) => Some(truncate(value)),
            // Integers wrap.
            other => other.as_i64().map(|value| value as i32),
        }
    }

    fn from_f32(value: f32) -> i32 {
        truncate(f64::from(value))
    }
}

impl Element for bool {
    const NAN: Option<bool> = None;

    fn read(row: &RowRef<'_>, column: usize) -> Option<bool> {
        bool::cast(row.value(column))
    }

    fn cast(value: Scalar<'_>) -> Option<bool> {
        match value {
            Scalar::Bool(value) => Some(value),
            // What is not zero is true, NaN too.
            other => other.as_f64().map(|value| value != 0.0),
        }
    }

    fn from_f32(value: f32) -> bool {
        value != 0.0
    }
}

/// Cut towards zero; what is out of range or NaN becomes `i32::MIN`.
fn truncate(value: f64) -> i32 {
    // The bounds themselves are cut into range.
    if value > -2_147_483_649.0 && value < 2_147_483_648.0 { value as i32 } else { i32::MIN }
}

/// Whether a value is a float that is not a number.
pub(super) fn is_nan(value: Scalar<'_>) -> bool {
    match value {
        Scalar::F32(value) => value.is_nan(),
        Scalar::F64(value) => value.is_nan(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_as_numpy_does() {
        // numpy 2.x on x86-64: np.array([..], dtype).astype(other)
        assert_eq!(i32::cast(Scalar::F64(-2.9)), Some(-2));
        assert_eq!(i32::cast(Scalar::F64(2_147_483_647.9)), Some(i32::MAX));
        assert_eq!(i32::cast(Scalar::F64(2_147_483_648.0)), Some(i32::MIN));
        assert_eq!(i32::cast(Scalar::F64(-2_147_483_648.9)), Some(i32::MIN));
        assert_eq!(i32::cast(Scalar::F32(f32::NAN)), Some(i32::MIN));
        assert_eq!(i32::cast(Scalar::I64(4_294_967_298)), Some(2));
        assert_eq!(i64::cast(Scalar::F64(1e300)), Some(i64::MIN));
        assert_eq!(i64::from_f32(-1.5), -1);
        assert_eq!(f32::cast(Scalar::I64(16_777_217)), Some(16_777_216.0));
        assert_eq!(f32::cast(Scalar::F64(1e300)), Some(f32::INFINITY));
        assert_eq!(f64::cast(Scalar::Bool(true)), Some(1.0));
        assert_eq!(bool::cast(Scalar::F64(f64::NAN)), Some(true));
        assert_eq!(bool::cast(Scalar::F32(-0.0)), Some(false));
        assert_eq!(bool::cast(Scalar::Str("true")), None);
        assert_eq!(f32::cast(Scalar::Null), None);
    }
}
