//! How long the dimensions of the result are.

use super::super::{super::plan::Reason, Refusal, axis};

/// A dimension before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Length {
    pub(super) old: usize,
    pub(super) new: usize,
    /// What it is after, before that is rounded down.
    pub(super) exact: f64,
    /// What it is multiplied by, if that is given instead of sizes.
    scale: Option<f64>,
    /// The part of it that is sampled, where it is cropped.
    pub(super) region: (f64, f64),
}

impl Length {
    fn unchanged(size: usize) -> Length {
        Length { old: size, new: size, exact: size as f64, scale: None, region: (0.0, 1.0) }
    }

    pub(super) fn scale(&self) -> f64 {
        self.scale.unwrap_or(self.exact / self.old as f64)
    }

    /// A distance after as it was before: of sizes without a rounded quotient, of a scale in its own 32 bits, in which
    /// 1.5 by 0.6 is 2.5.
    pub(super) fn before(&self, distance: f64) -> f64 {
        match self.scale {
            Some(scale) => (distance as f32 / scale as f32).into(),
            None => distance * self.old as f64 / self.exact,
        }
    }

    /// Whether every element stays where it is.
    pub(super) fn stays(&self) -> bool {
        Length { scale: None, ..*self } == Length::unchanged(self.old)
    }
}

/// Whether all dimensions are scaled by one factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Stretch,
    /// By the smallest of the factors.
    NotLarger,
    /// By the largest of them.
    NotSmaller,
}

impl Policy {
    pub(super) fn named(name: &str) -> Result<Policy, Refusal> {
        Ok(match name {
            "stretch" => Policy::Stretch,
            "not_larger" => Policy::NotLarger,
            "not_smaller" => Policy::NotSmaller,
            other => return Err(Refusal::invalid(format!("it does not keep the aspect ratio `{other}`"))),
        })
    }
}

/// What is told of the result.
pub(super) enum Sizes {
    Scales(Vec<f32>),
    /// Sizes, and the region that is cropped: all beginnings, then all ends.
    Sizes(Vec<i64>, Option<Vec<f64>>),
}

impl Sizes {
    /// The lengths of all dimensions. What is told is of the dimensions `axes`, or of all.
    pub(super) fn lengths(
        &self,
        shape: &[usize],
        axes: Option<&[i64]>,
        policy: Policy,
    ) -> Result<Vec<Length>, Reason> {
        let all: Vec<i64> = (0..shape.len() as i64).collect();
        let axes = axes.unwrap_or(&all);
        let axes = axes.iter().map(|&at| axis(at, shape.len())).collect::<Result<Vec<_>, _>>()?;
        let given = match self {
            Sizes::Scales(scales) => scales.len(),
            Sizes::Sizes(sizes, _) => sizes.len(),
        };
        if given != axes.len() {
            return Err(format!("{given} sizes or scales for {} dimensions", axes.len()));
        }
        let mut lengths: Vec<Length> = shape.iter().copied().map(Length::unchanged).collect();
        match self {
            Sizes::Scales(scales) => {
                for (&at, &scale) in axes.iter().zip(scales) {
                    lengths[at] = scaled(shape[at], scale)?;
                }
            }
            Sizes::Sizes(sizes, region) => {
                for (&at, &size) in axes.iter().zip(sizes) {
                    lengths[at] = sized(shape[at], size)?;
                }
                keep_ratio(&mut lengths, &axes, policy);
                if let Some(region) = region {
                    crop(&mut lengths, &axes, region)?;
                }
            }
        }
        Ok(lengths)
    }
}

fn scaled(old: usize, scale: f32) -> Result<Length, Reason> {
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(format!("a scale of {scale} is not positive"));
    }
    // In 32 bits, as shapes are inferred: 10 by 0.7 becomes 7.
    let new = (old as f32 * scale).floor() as usize;
    let scale = f64::from(scale);
    Ok(Length { new, exact: scale * old as f64, scale: Some(scale), ..Length::unchanged(old) })
}

fn sized(old: usize, size: i64) -> Result<Length, Reason> {
    let new = usize::try_from(size).map_err(|_| format!("a size of {size} is negative"))?;
    Ok(Length { new, exact: new as f64, ..Length::unchanged(old) })
}

fn keep_ratio(lengths: &mut [Length], axes: &[usize], policy: Policy) {
    let scales = axes.iter().map(|&at| lengths[at].scale());
    let scale = match policy {
        Policy::Stretch => return,
        Policy::NotLarger => scales.fold(f64::INFINITY, f64::min),
        Policy::NotSmaller => scales.fold(0.0, f64::max),
    };
    for &at in axes {
        let length = &mut lengths[at];
        length.exact = scale * length.old as f64;
        length.new = (length.exact + 0.5).floor() as usize;
    }
}

fn crop(lengths: &mut [Length], axes: &[usize], region: &[f64]) -> Result<(), Reason> {
    if region.len() != 2 * axes.len() {
        return Err(format!("a region of {} numbers for {} dimensions", region.len(), axes.len()));
    }
    let (begin, end) = region.split_at(axes.len());
    for ((&at, &begin), &end) in axes.iter().zip(begin).zip(end) {
        lengths[at].region = (begin, end);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_rounded_down_and_sizes_keep_their_ratio() {
        assert_eq!(scaled(10, 0.7).unwrap().new, 7);
        assert_eq!(scaled(3, 0.5).unwrap().new, 1);
        assert!(scaled(3, 0.0).is_err());
        let sizes = Sizes::Sizes(vec![4, 9], None);
        let new = |policy| {
            let lengths = sizes.lengths(&[2, 3], None, policy).unwrap();
            lengths.iter().map(|length| length.new).collect::<Vec<_>>()
        };
        assert_eq!(new(Policy::Stretch), [4, 9]);
        assert_eq!(new(Policy::NotLarger), [4, 6]);
        assert_eq!(new(Policy::NotSmaller), [6, 9]);
    }
}
