//! The two widths of number that trees compare: what a threshold becomes in each, exactly.

use std::ops::Add;

/// A number that trees compare: `f32` or `f64`.
pub trait Scalar:
    sealed::Sealed + Copy + PartialOrd + Default + Add<Output = Self> + Into<f64> + Send + Sync + 'static
{
    /// Less than or equal to every number.
    const LEAST: Self;
    /// Greater than or equal to every number.
    const GREATEST: Self;

    /// The largest number of this width that is `<= value`; none for NaN.
    fn floor(value: f64) -> Option<Self>;

    /// The next smaller number; none below negative infinity.
    fn below(self) -> Option<Self>;

    /// The nearest number of this width.
    fn nearest(value: f64) -> Self;

    /// Whether it is NaN.
    fn is_nan(self) -> bool;

    /// The largest number of this width that is `< value`; none for NaN and negative infinity.
    fn floor_below(value: f64) -> Option<Self> {
        let floor = Self::floor(value)?;
        if floor.into() == value { floor.below() } else { Some(floor) }
    }

    /// The number itself, if this width holds it without loss and it isn't NaN.
    fn exact(value: f64) -> Option<Self> {
        let nearest = Self::nearest(value);
        (nearest.into().to_bits() == value.to_bits() && !nearest.is_nan()).then_some(nearest)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Scalar for f32 {
    const LEAST: f32 = f32::NEG_INFINITY;
    const GREATEST: f32 = f32::INFINITY;

    fn floor(value: f64) -> Option<f32> {
        let near = value as f32;
        match value.is_nan() {
            true => None,
            false if f64::from(near) > value => near.below(),
            false => Some(near),
        }
    }

    fn below(self) -> Option<f32> {
        (self != f32::NEG_INFINITY).then(|| self.next_down())
    }

    fn nearest(value: f64) -> f32 {
        value as f32
    }

    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

impl Scalar for f64 {
    const LEAST: f64 = f64::NEG_INFINITY;
    const GREATEST: f64 = f64::INFINITY;

    fn floor(value: f64) -> Option<f64> {
        (!value.is_nan()).then_some(value)
    }

    fn below(self) -> Option<f64> {
        (self != f64::NEG_INFINITY).then(|| self.next_down())
    }

    fn nearest(value: f64) -> f64 {
        value
    }

    fn is_nan(self) -> bool {
        self.is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_never_rounds_up() {
        assert_eq!(<f32 as Scalar>::floor(0.1), Some(0.1f32.next_down()));
        assert_eq!(<f32 as Scalar>::floor(f64::from(0.1f32)), Some(0.1));
        assert_eq!(<f32 as Scalar>::floor(1e300), Some(f32::MAX));
        assert_eq!(<f32 as Scalar>::floor(-1e300), Some(f32::NEG_INFINITY));
        assert_eq!(<f32 as Scalar>::floor(f64::NAN), None);
    }

    #[test]
    fn floor_below_excludes_the_value_itself() {
        assert_eq!(f32::floor_below(1.0), Some(1.0f32.next_down()));
        assert_eq!(f32::floor_below(-0.0), Some(0.0f32.next_down()));
        assert_eq!(f32::floor_below(f64::NEG_INFINITY), None);
        assert_eq!(f64::floor_below(f64::INFINITY), Some(f64::MAX));
    }

    #[test]
    fn exact_keeps_bits() {
        assert_eq!(f32::exact(0.1), None);
        assert_eq!(f32::exact(0.5), Some(0.5));
        assert_eq!(f32::exact(f64::NAN), None);
    }
}
