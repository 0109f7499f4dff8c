//! A convolution's shapes, checked against each other before anything is computed.

use super::super::{
    super::plan::Reason,
    Refusal, Spec,
    broadcast::elements,
    sliding::{Axes, Sliding, volume},
};

/// Places of the window for which a backend lays out the input at once.
const TILE: usize = 512;

/// Filters `[groups * filters, channels, ..]` over an input `[batch, groups * channels, ..]`.
#[derive(Clone, Debug)]
pub(in crate::model::operators) struct Shapes {
    pub(super) batch: usize,
    pub(super) groups: usize,
    /// Channels of one group.
    pub(super) channels: usize,
    /// Filters of one group.
    pub(super) filters: usize,
    pub(super) axes: Axes,
}

impl Shapes {
    pub(in crate::model::operators) fn new(
        input: &[usize],
        filters: &[usize],
        groups: usize,
        sliding: &Sliding,
    ) -> Result<Shapes, Reason> {
        let misfit = || {
            format!("filters of shape {filters:?} in {groups} groups do not fit an input of shape {input:?}")
        };
        let (&[batch, width, ref sizes @ ..], &[count, channels, ref kernel @ ..]) = (input, filters) else {
            return Err(misfit());
        };
        if channels.checked_mul(groups) != Some(width) || !count.is_multiple_of(groups) {
            return Err(misfit());
        }
        let axes = sliding.over(sizes, kernel)?;
        Ok(Shapes { batch, groups, channels, filters: count / groups, axes })
    }

    /// The shape of the output, if it and what is needed on the way is within the limit.
    pub(in crate::model::operators) fn output(&self, limit: usize) -> Result<Vec<usize>, Reason> {
        let padded = |axis: &super::super::sliding::Axis| axis.size + axis.before + axis.after;
        let mut shape = vec![self.batch, self.groups * self.channels];
        shape.extend(self.axes.iter().map(padded));
        elements(&shape, limit)?;
        shape.truncate(1);
        shape.push(self.groups * self.filters);
        shape.extend(self.axes.iter().map(|axis| axis.out));
        elements(&shape, limit)?;
        let places = volume(&self.axes, |axis| axis.out).min(TILE);
        elements(&[self.channels, volume(&self.axes, |axis| axis.kernel), places], limit)?;
        Ok(shape)
    }
}

/// The number of groups.
pub(in crate::model::operators) fn groups(spec: &Spec<'_>) -> Result<usize, Refusal> {
    count(spec, "group")
}

/// A number of groups.
pub(super) fn count(spec: &Spec<'_>, name: &str) -> Result<usize, Refusal> {
    let given = spec.int(name, 1)?;
    let most = spec.limits().elements;
    let count = usize::try_from(given).ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| Refusal::invalid(format!("attribute `{name}` is {given}, not from 1 to {most}")))
}
