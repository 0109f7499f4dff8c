//! Arithmetic as ONNX defines it, for each type of number: integers wrap, and their division truncates.

use super::super::plan::Reason;

/// A type of number that operators compute with.
pub(super) trait Number: Copy + PartialOrd + Send + Sync + 'static {
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Division; an integer's by zero fails.
    fn div(self, other: Self) -> Result<Self, Reason>;
    fn pow(self, exponent: Self) -> Self;
    /// Remainder with the sign of the dividend, as C's `fmod`.
    fn fmod(self, other: Self) -> Result<Self, Reason>;
    /// Remainder with the sign of the divisor, as Python's `%`.
    fn modulo(self, other: Self) -> Result<Self, Reason>;
    fn is_nan(self) -> bool;
    fn to_f64(self) -> f64;
    fn of_f64(value: f64) -> Self;

    /// The larger; NaN if either is.
    fn max(self, other: Self) -> Self {
        if self.is_nan() || self >= other { self } else { other }
    }

    /// The smaller; NaN if either is.
    fn min(self, other: Self) -> Self {
        if self.is_nan() || self <= other { self } else { other }
    }
}

macro_rules! float {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn sub(self, other: Self) -> Self {
                self - other
            }
            fn mul(self, other: Self) -> Self {
                self * other
            }
            fn div(self, other: Self) -> Result<Self, Reason> {
                Ok(self / other)
            }
            fn pow(self, exponent: Self) -> Self {
                self.powf(exponent)
            }
            fn fmod(self, other: Self) -> Result<Self, Reason> {
                Ok(self % other)
            }
            fn modulo(self, other: Self) -> Result<Self, Reason> {
                let rest = self % other;
                Ok(if rest == 0.0 {
                    rest.copysign(other)
                } else if (rest < 0.0) != (other < 0.0) {
                    rest + other
                } else {
                    rest
                })
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn of_f64(value: f64) -> Self {
                value as $type
            }
        }
    )*};
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            fn div(self, other: Self) -> Result<Self, Reason> {
                if other == 0 { Err(by_zero()) } else { Ok(self.wrapping_div(other)) }
            }
            fn pow(self, exponent: Self) -> Self {
                match u32::try_from(exponent) {
                    Ok(exponent) => self.wrapping_pow(exponent),
                    Err(_) => (self as f64).powf(exponent as f64) as $type,
                }
            }
            fn fmod(self, other: Self) -> Result<Self, Reason> {
                if other == 0 { Err(by_zero()) } else { Ok(self.wrapping_rem(other)) }
            }
            #[allow(unused_comparisons)]
            fn modulo(self, other: Self) -> Result<Self, Reason> {
                let rest = self.fmod(other)?;
                Ok(if rest != 0 && (rest < 0) != (other < 0) { rest + other } else { rest })
            }
            fn is_nan(self) -> bool {
                false
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn of_f64(value: f64) -> Self {
                value as $type
            }
        }
    )*};
}

float!(f32, f64);
integer!(i64, i32, i16, i8, u64, u32, u16, u8);

fn by_zero() -> Reason {
    "an integer is divided by zero".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_take_the_sign_that_is_asked_for() {
        assert_eq!((-7_i64).fmod(3), Ok(-1));
        assert_eq!((-7_i64).modulo(3), Ok(2));
        assert_eq!(7_i64.modulo(-3), Ok(-2));
        assert_eq!((-7.0_f32).modulo(3.0), Ok(2.0));
        assert_eq!((-1.0_f32).modulo(f32::INFINITY), Ok(f32::INFINITY));
        assert_eq!(4.0_f32.modulo(-2.0).map(f32::is_sign_negative), Ok(true));
        assert_eq!(1_u8.fmod(0), Err(by_zero()));
    }

    #[test]
    fn integers_wrap_and_never_panic() {
        assert_eq!(i64::MIN.div(-1), Ok(i64::MIN));
        assert_eq!(i32::MAX.add(1), i32::MIN);
        assert_eq!(3_i32.pow(2), 9);
    }

    #[test]
    fn nan_wins_max_and_min() {
        assert!(Number::max(f32::NAN, 1.0).is_nan());
        assert!(Number::max(1.0, f32::NAN).is_nan());
        assert!(Number::min(1.0, f64::NAN).is_nan());
        assert_eq!(Number::max(2_i64, 3), 3);
    }
}
