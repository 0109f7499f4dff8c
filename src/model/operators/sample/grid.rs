//! Samples at the points of a grid.

use burn_backend::Backend;
use smallvec::{SmallVec, smallvec};

use super::super::{
    super::{Tensor, plan::Kernel, tensor::Element},
    Refusal, Spec,
    broadcast::elements,
    float::{Float, each_float},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Nearest,
    Linear,
    Cubic,
}

/// What is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outside {
    Zeros,
    Border,
    Reflection,
}

#[derive(Clone, Copy)]
struct Sampling {
    mode: Mode,
    outside: Outside,
    /// Whether -1 and 1 are the middles of the outermost elements, instead of their outer ends.
    corners: bool,
}

pub(super) fn sample<B: Backend>(spec: &Spec<'_>) -> Result<Kernel<B>, Refusal> {
    let sampling = Sampling {
        mode: match spec.text("mode", "linear")? {
            "nearest" => Mode::Nearest,
            "linear" | "bilinear" => Mode::Linear,
            "cubic" | "bicubic" => Mode::Cubic,
            other => return Err(Refusal::invalid(format!("attribute `mode` is `{other}`"))),
        },
        outside: match spec.text("padding_mode", "zeros")? {
            "zeros" => Outside::Zeros,
            "border" => Outside::Border,
            "reflection" => Outside::Reflection,
            other => return Err(Refusal::invalid(format!("attribute `padding_mode` is `{other}`"))),
        },
        corners: spec.flag("align_corners", false)?,
    };
    // PyTorch finds each of the elements around a point outside, ONNX the point itself.
    if sampling.mode == Mode::Cubic && sampling.outside != Outside::Zeros {
        return Err(Refusal::unsupported("cubic samples outside, on which ONNX and PyTorch differ"));
    }
    let limit = spec.limits().elements;
    Ok(Kernel::host(move |args| {
        let (input, grid) = (args.shape(0)?, args.shape(1)?);
        let misfit = || format!("a grid of shape {grid:?} does not fit an input of shape {input:?}");
        let (&[batch, channels, ref sizes @ ..], &[batches, ref outer @ .., rank]) = (&input[..], &grid[..])
        else {
            return Err(misfit());
        };
        if batch != batches || rank != sizes.len() || outer.len() != rank || sizes.contains(&0) || rank == 0 {
            return Err(misfit());
        }
        let shape = [&[batch, channels], outer].concat();
        elements(&shape, limit)?;
        each_float!(args.dtype(0)?, F => {
            let points = outer.iter().product();
            let data = sampling.samples::<F>((args.elements(0)?, sizes, channels), args.elements(1)?, points);
            Ok(Tensor { shape, data: F::data(data) })
        })
    }))
}

/// The elements around a place along one dimension, none where they are outside, with their weights.
type Taps<T> = SmallVec<[(Option<usize>, T); 4]>;

impl Sampling {
    fn samples<T: Float>(
        &self,
        (input, sizes, channels): (&[T], &[usize], usize),
        grid: &[T],
        points: usize,
    ) -> Vec<T> {
        let (rank, size) = (sizes.len(), sizes.iter().product::<usize>());
        let mut output = vec![T::zero(); grid.len() / rank * channels];
        for (number, point) in grid.chunks_exact(rank).enumerate() {
            let (batch, place) = (number / points, number % points);
            // A point has its last dimension first.
            let taps: SmallVec<[Taps<T>; 3]> =
                point.iter().rev().zip(sizes).map(|(&at, &size)| self.taps(at, size)).collect();
            let taps = combined(&taps, sizes);
            for channel in 0..channels {
                let plane = &input[(batch * channels + channel) * size..][..size];
                let sum = taps.iter().fold(T::zero(), |sum, &(at, weight)| sum + plane[at] * weight);
                output[(batch * channels + channel) * points + place] = sum;
            }
        }
        output
    }

    fn taps<T: Float>(&self, at: T, size: usize) -> Taps<T> {
        let of = |value: usize| T::nearest(value as f64);
        let half = T::nearest(0.5);
        let (mut at, low, high) = if self.corners {
            ((at + T::one()) * half * of(size - 1), T::zero(), of(size - 1))
        } else {
            (((at + T::one()) * of(size) - T::one()) * half, -half, of(size) - half)
        };
        if self.mode == Mode::Nearest {
            at = ties_to_even(at);
        }
        match self.outside {
            Outside::Zeros => {}
            Outside::Border => at = at.max(T::zero()).min(of(size - 1)),
            Outside::Reflection => at = reflected(at, low, high),
        }
        let start = at.floor();
        let rest = at - start;
        let place = |shift: i64| {
            let place = if start.is_finite() { start.into() as i64 } else { i64::MIN };
            let place = place.saturating_add(shift);
            match self.outside {
                Outside::Border => Some(place.clamp(0, size as i64 - 1) as usize),
                Outside::Reflection => {
                    let inside = reflected(T::nearest(place as f64), low, high).into() as i64;
                    Some(inside.clamp(0, size as i64 - 1) as usize)
                }
                Outside::Zeros => usize::try_from(place).ok().filter(|&place| place < size),
            }
        };
        match self.mode {
            Mode::Nearest => smallvec![(place(0), T::one())],
            Mode::Linear => smallvec![(place(0), T::one() - rest), (place(1), rest)],
            Mode::Cubic => (0..4).map(|tap| (place(tap - 1), cubic(rest, tap))).collect(),
        }
    }
}

/// The elements around a point, those outside left out, with the products of their weights.
fn combined<T: Float>(taps: &[Taps<T>], sizes: &[usize]) -> Vec<(usize, T)> {
    let mut all = vec![(0, T::one())];
    for (taps, size) in taps.iter().zip(sizes) {
        let inside = |&(at, weight): &(usize, T)| {
            let tap =
                move |&(place, by): &(Option<usize>, T)| place.map(|place| (at * size + place, weight * by));
            taps.iter().filter_map(tap)
        };
        all = all.iter().flat_map(inside).collect();
    }
    all
}

fn ties_to_even<T: Float>(value: T) -> T {
    T::nearest(value.into().round_ties_even())
}

/// The place that is left when a line is folded at both ends as often as it takes.
fn reflected<T: Float>(at: T, low: T, high: T) -> T {
    let span = high - low;
    if span <= T::zero() {
        return low;
    }
    let beyond = if at < low { low - at } else { at - high };
    if beyond <= T::zero() {
        return at;
    }
    let folds = (beyond / span).trunc();
    let rest = beyond - folds * span;
    let even = (folds % T::nearest(2.0)).is_zero();
    if (at < low) == even { low + rest } else { high - rest }
}

/// The weight of one of the four elements around a place that is `rest` behind the second: Keys' convolution.
fn cubic<T: Float>(rest: T, tap: i64) -> T {
    let of = T::nearest;
    let alpha = of(-0.75);
    let distance = (rest - of((tap - 1) as f64)).abs();
    if distance <= T::one() {
        ((alpha + of(2.0)) * distance - (alpha + of(3.0))) * distance * distance + T::one()
    } else {
        ((alpha * distance - of(5.0) * alpha) * distance + of(8.0) * alpha) * distance - of(4.0) * alpha
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_folded_at_both_ends() {
        assert_eq!(reflected(-3.5, -1.0, 1.0), 0.5 - 0.0);
        assert_eq!(reflected(1.5, -1.0, 1.0), 0.5);
        assert_eq!(reflected(0.25, -1.0, 1.0), 0.25);
        assert_eq!(reflected(9.0, 0.0, 0.0), 0.0);
    }

    #[test]
    fn cubic_weights_add_up_to_one() {
        for rest in [0.0, 0.3, 0.9] {
            let sum: f64 = (0..4).map(|tap| cubic(rest, tap)).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_point_that_is_no_number_is_outside() {
        let sampling = Sampling { mode: Mode::Linear, outside: Outside::Zeros, corners: true };
        assert!(sampling.taps(f32::NAN, 3).iter().all(|(place, _)| place.is_none()));
        assert!(sampling.taps(f32::INFINITY, 3).iter().all(|(place, _)| place.is_none()));
    }
}
