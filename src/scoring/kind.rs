//! The kinds of models that a manifest can name, as the engine's formats.

use crate::{catalog::ModelKind, model::Format};

/// The format of a kind's files.
pub fn format_of(kind: ModelKind) -> Format {
    match kind {
        ModelKind::Onnx => Format::Onnx,
        ModelKind::Burn => Format::Burn,
        ModelKind::Xgboost => Format::Xgboost,
        ModelKind::Lightgbm => Format::Lightgbm,
    }
}

/// The kind of a format's files.
pub fn kind_of(format: Format) -> ModelKind {
    match format {
        Format::Onnx => ModelKind::Onnx,
        Format::Burn => ModelKind::Burn,
        Format::Xgboost => ModelKind::Xgboost,
        Format::Lightgbm => ModelKind::Lightgbm,
    }
}
