//! The kinds of models that a manifest can name, as the engine's formats.

use crate::{
    catalog::ModelKind,
    model::Format,
    types::{Error, Result},
};

/// The format of a kind's files, if this release reads it.
pub fn format_of(kind: ModelKind) -> Result<Format> {
    match kind {
        ModelKind::Onnx => Ok(Format::Onnx),
        ModelKind::Burn => Ok(Format::Burn),
        ModelKind::Xgboost | ModelKind::Lightgbm => {
            Err(Error::invalid(format!("models of kind `{kind}` cannot be loaded yet"))
                .hint("this release takes kind = \"onnx\" or \"burn\": export the model to ONNX"))
        }
    }
}

/// The kind of a format's files.
pub fn kind_of(format: Format) -> ModelKind {
    match format {
        Format::Onnx => ModelKind::Onnx,
        Format::Burn => ModelKind::Burn,
    }
}
