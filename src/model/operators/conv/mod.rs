//! Convolutions. Floats of one to three spatial dimensions go through the backend, everything else through a loop.

mod causal;
mod deform;
mod direct;
mod fold;
mod forward;
mod shapes;
#[cfg(test)]
mod tests;
mod transpose;

use burn_backend::Backend;

use super::{Operator, float::shared_types};

pub(super) use {
    direct::convolve,
    shapes::{Shapes, groups},
};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Conv" => Operator { types: shared_types, kernel: forward::conv },
        "ConvTranspose" => Operator { types: shared_types, kernel: transpose::conv_transpose },
        "CausalConvWithState" => Operator { types: causal::types, kernel: causal::causal },
        "DeformConv" => Operator { types: shared_types, kernel: deform::deform },
        "Col2Im" => Operator { types: fold::types, kernel: fold::fold },
        _ => return None,
    })
}
