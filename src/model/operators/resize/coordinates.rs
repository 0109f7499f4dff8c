//! Which place of a dimension an element of the result stands for.

use super::{super::Refusal, size::Length};

/// How coordinates of the result become those of the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    TfHalfPixelForNn,
    AlignCorners,
    Asymmetric,
    TfCropAndResize,
}

impl Coordinates {
    pub(super) fn named(name: &str) -> Result<Coordinates, Refusal> {
        Ok(match name {
            "half_pixel" => Coordinates::HalfPixel,
            "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
            "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
            "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
            "align_corners" => Coordinates::AlignCorners,
            "asymmetric" => Coordinates::Asymmetric,
            "tf_crop_and_resize" => Coordinates::TfCropAndResize,
            other => return Err(Refusal::unsupported(format!("coordinates by `{other}`"))),
        })
    }

    /// Whether a coordinate may lie outside of the tensor, and what is there is given.
    pub(super) fn leave(self) -> bool {
        self == Coordinates::TfCropAndResize
    }

    /// The coordinate in the tensor; none if it lies outside and [`Coordinates::leave`].
    pub(super) fn source(self, at: usize, length: &Length) -> Option<f64> {
        let (at, old) = (at as f64, length.old as f64);
        // Not yet rounded down, as the specification's own cases have it.
        let new = length.exact;
        let half_pixel = length.before(at + 0.5) - 0.5;
        Some(match self {
            Coordinates::HalfPixel => half_pixel,
            // Half of what was rounded off is left out on either side.
            Coordinates::HalfPixelSymmetric => {
                length.before(at + 0.5 + (new - length.new as f64) / 2.0) - 0.5
            }
            Coordinates::PytorchHalfPixel if length.new > 1 => half_pixel,
            Coordinates::PytorchHalfPixel => 0.0,
            Coordinates::TfHalfPixelForNn => length.before(at + 0.5),
            Coordinates::AlignCorners if new == 1.0 => 0.0,
            Coordinates::AlignCorners => at * (old - 1.0) / (new - 1.0),
            Coordinates::Asymmetric => length.before(at),
            Coordinates::TfCropAndResize => {
                let (begin, end) = length.region;
                let source = match length.new {
                    1 => (begin + end) / 2.0 * (old - 1.0),
                    _ => begin * (old - 1.0) + at * (end - begin) * (old - 1.0) / (new - 1.0),
                };
                return (0.0..=old - 1.0).contains(&source).then_some(source);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::size::{Policy, Sizes},
        *,
    };

    #[test]
    fn coordinates_that_are_whole_stay_whole() {
        let length =
            |old: usize, scale| Sizes::Scales(vec![scale]).lengths(&[old], None, Policy::Stretch).unwrap()[0];
        // Of 2.5 elements two are left, with a quarter left out on either side.
        assert_eq!(Coordinates::HalfPixelSymmetric.source(0, &length(5, 0.5)), Some(1.0));
        assert_eq!(Coordinates::HalfPixel.source(1, &length(5, 0.6)), Some(2.0));
        assert_eq!(Coordinates::AlignCorners.source(1, &length(2, 2.0)).map(|at| at * 3.0), Some(1.0));
    }
}
