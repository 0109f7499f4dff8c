//! Attention: values weighted by how well their keys answer a query. The products of matrices are the backend's; what is
//! done to each score between them is a loop.

mod dot;
mod heads;
mod linear;
mod mask;
mod rotary;

use burn_backend::Backend;

use super::{Operator, float::shared_types};

pub(super) fn find<B: Backend>(name: &str) -> Option<Operator<B>> {
    Some(match name {
        "Attention" => Operator { types: dot::types, kernel: dot::attention },
        "RotaryEmbedding" => Operator { types: rotary::types, kernel: rotary::rotary },
        "LinearAttention" => Operator { types: linear::types, kernel: linear::linear },
        _ => return None,
    })
}

/// Those of `ai.onnx.preview`.
pub(super) fn find_preview<B: Backend>(name: &str) -> Option<Operator<B>> {
    (name == "FlexAttention").then_some(Operator { types: shared_types, kernel: dot::flex })
}
