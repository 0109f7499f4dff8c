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
            Coordinates::HalfPixelSymmetric => half_pixel + old / 2.0 * (1.0 - length.new as f64 / new),
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
