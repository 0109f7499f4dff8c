//! The elements that an element of the result is made of, and their weights.

use super::{super::Refusal, coordinates::Coordinates, size::Length};

/// Which of two elements a coordinate between them means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
    /// As before version 11, which names no way: the one before, where it becomes smaller the one after.
    Simple,
}

impl Nearest {
    pub(super) fn named(name: &str) -> Result<Nearest, Refusal> {
        Ok(match name {
            "round_prefer_floor" => Nearest::RoundPreferFloor,
            "round_prefer_ceil" => Nearest::RoundPreferCeil,
            "floor" => Nearest::Floor,
            "ceil" => Nearest::Ceil,
            other => return Err(Refusal::invalid(format!("it does not round by `{other}`"))),
        })
    }

    fn round(self, coordinate: f64, scale: f64) -> f64 {
        match self {
            Nearest::RoundPreferFloor => (coordinate - 0.5).ceil(),
            Nearest::RoundPreferCeil => (coordinate + 0.5).floor(),
            Nearest::Ceil => coordinate.ceil(),
            Nearest::Simple if scale < 1.0 => coordinate.ceil(),
            Nearest::Floor | Nearest::Simple => coordinate.floor(),
        }
    }

    /// The place in the tensor of an element of the result; none outside.
    pub(super) fn source(self, at: usize, length: &Length, coordinates: Coordinates) -> Option<usize> {
        let source = coordinates.source(at, length)?;
        Some(clamped(self.round(source, length.scale()), length.old))
    }
}

/// A place, or the nearest one of the tensor.
fn clamped(place: f64, size: usize) -> usize {
    (place.max(0.0) as usize).min(size - 1)
}

/// How elements are weighted by their distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Filter {
    /// The coefficient of a cubic filter; none of a linear one.
    pub(super) cubic: Option<f64>,
    /// Whether the filter becomes as wide as what an element stands for, where the tensor becomes smaller.
    pub(super) antialias: bool,
    /// Whether only elements of the tensor are weighted; else its edges go on.
    pub(super) exclude: bool,
}

impl Filter {
    pub(super) fn linear() -> Filter {
        Filter { cubic: None, antialias: false, exclude: false }
    }

    /// How far it reaches.
    fn radius(self) -> f64 {
        if self.cubic.is_some() { 2.0 } else { 1.0 }
    }

    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self.cubic {
            None => (1.0 - x).max(0.0),
            Some(a) if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Some(a) if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
            Some(_) => 0.0,
        }
    }
}

/// A dimension of which every element is a weighted mean.
pub(super) struct Resampled<'l> {
    pub(super) filter: Filter,
    pub(super) length: &'l Length,
    pub(super) coordinates: Coordinates,
}

impl Resampled<'_> {
    /// Makes the result along this dimension.
    pub(super) fn apply(
        &self,
        data: &[f64],
        (before, along, after): (usize, usize, usize),
        outside: f64,
    ) -> Vec<f64> {
        let count = self.length.new;
        let scale = if self.filter.antialias { self.length.scale().min(1.0) } else { 1.0 };
        let mut out = vec![outside; before * count * after];
        for at in 0..count {
            let Some(source) = self.coordinates.source(at, self.length) else { continue };
            let taps = tapped(self.filter, source, scale, along);
            for block in 0..before {
                let out = &mut out[(block * count + at) * after..][..after];
                out.fill(0.0);
                for (place, weight) in &taps {
                    let from = &data[(block * along + place) * after..][..after];
                    out.iter_mut().zip(from).for_each(|(out, value)| *out += value * weight);
                }
            }
        }
        out
    }
}

/// The elements around a coordinate that the filter reaches, if its distances are multiplied by `scale`.
fn tapped(filter: Filter, source: f64, scale: f64, size: usize) -> Vec<(usize, f64)> {
    let reach = filter.radius() / scale;
    let (first, last) = ((source - reach).floor() as i64 + 1, (source + reach).ceil() as i64 - 1);
    let mut taps = Vec::new();
    let mut sum = 0.0;
    for place in first..=last {
        let weight = filter.weight((place as f64 - source) * scale);
        if filter.exclude && !(0..size as i64).contains(&place) {
            continue;
        }
        sum += weight;
        taps.push((clamped(place as f64, size), weight));
    }
    if (filter.exclude || filter.antialias) && sum != 0.0 {
        taps.iter_mut().for_each(|(_, weight)| *weight /= sum);
    }
    taps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_rounded_as_they_are_asked_to_be() {
        let round = |nearest: Nearest| [0.5, 1.5, 1.6, 2.0].map(|at| nearest.round(at, 1.0));
        assert_eq!(round(Nearest::RoundPreferFloor), [0.0, 1.0, 2.0, 2.0]);
        assert_eq!(round(Nearest::RoundPreferCeil), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(round(Nearest::Floor), [0.0, 1.0, 1.0, 2.0]);
        assert_eq!(round(Nearest::Ceil), [1.0, 2.0, 2.0, 2.0]);
        assert_eq!(Nearest::Simple.round(1.2, 0.5), 2.0);
    }

    #[test]
    fn weights_of_a_mean_are_one_together() {
        for (cubic, antialias, scale) in
            [(None, false, 1.0), (Some(-0.75), false, 1.0), (Some(-0.5), true, 0.3)]
        {
            for source in [-0.5, 0.0, 1.25, 3.9] {
                let taps = tapped(Filter { cubic, antialias, exclude: false }, source, scale, 4);
                let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{cubic:?} at {source}: {taps:?}");
            }
        }
    }
}
