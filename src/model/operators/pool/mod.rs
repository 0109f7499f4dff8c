//! Pools: what a sliding window, or a whole plane, holds becomes one number.

mod average;
mod global;
mod max;
mod unpool;

use burn_backend::Backend;

use super::{
    super::plan::Reason,
    Operator,
    broadcast::elements,
    float::shared_types,
    sliding::{Axes, Sliding, volume},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "MaxPool" => Operator { types: max::types, kernel: max::max },
        "MaxUnpool" => Operator { types: unpool::types, kernel: unpool::unpool },
        "AveragePool" => Operator { types: shared_types, kernel: average::average },
        "LpPool" => Operator { types: shared_types, kernel: average::norm },
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => {
            Operator { types: shared_types, kernel: global::global }
        }
        _ => return None,
    })
}

/// A window over each plane of an input `[batch, channels, ..]`.
struct Planes {
    axes: Axes,
    /// Elements of a plane of the input.
    size: usize,
    /// Elements of a plane of the output.
    out: usize,
    /// The shape of the output.
    shape: Vec<usize>,
}

impl Planes {
    fn new(shape: &[usize], sliding: &Sliding, limit: usize) -> Result<Planes, Reason> {
        let (Some((outer, sizes)), Some(kernel)) = (shape.split_at_checked(2), &sliding.kernel) else {
            return Err(format!("a tensor of shape {shape:?} has no planes"));
        };
        let axes = sliding.over(sizes, kernel)?;
        let mut shape = outer.to_vec();
        shape.extend(axes.iter().map(|axis| axis.out));
        elements(&shape, limit)?;
        let (size, out) = (volume(&axes, |axis| axis.size), volume(&axes, |axis| axis.out));
        Ok(Planes { axes, size, out, shape })
    }

    /// Refuses a window that holds nothing but padding at some place.
    fn check_padding(&self) -> Result<(), Reason> {
        let empty = self.axes.iter().any(|axis| (0..axis.out).any(|place| axis.inside(place) == 0));
        if empty { Err("its window holds nothing but padding somewhere".to_owned()) } else { Ok(()) }
    }
}
