//! Samples between the elements of a tensor: at the points of a grid, or in regions of interest.

mod affine;
mod grid;
mod region;

use burn_backend::Backend;

use super::{Operator, float::shared_types};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "GridSample" => Operator { types: shared_types, kernel: grid::sample },
        "AffineGrid" => Operator { types: affine::types, kernel: affine::grid },
        "RoiAlign" => Operator { types: region::types, kernel: region::align },
        _ => return None,
    })
}
