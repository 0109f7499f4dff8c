//! Why a model is refused, or a run of it fails.

use super::Format;
use crate::types;

/// Why a model is refused, or a run of it fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no model.
    #[error("not a readable {format} model: {reason}")]
    Decode {
        /// What they were taken for.
        format: Format,
        /// What is wrong with them.
        reason: String,
    },
    /// The model uses operators that the engine does not compute exactly. Every one is named.
    #[error("unsupported operators: {}", .reasons.join("; "))]
    Unsupported {
        /// Each operator once, as `domain:Op`.
        operators: Vec<String>,
        /// Each operator with the reason, where it is not merely unknown.
        reasons: Vec<String>,
    },
    /// The model is larger than allowed.
    #[error("{what} is {given}, over the limit of {limit}")]
    Limit {
        /// What is too large.
        what: String,
        /// How large it is.
        given: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The model contradicts itself or the ONNX specification.
    #[error("invalid model: {place}: {reason}")]
    Invalid {
        /// The node, tensor or port.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor given to a run does not fit the model.
    #[error("input `{name}`: expected {expected}, given {given}")]
    Input {
        /// The input.
        name: String,
        /// What the model takes.
        expected: String,
        /// What was given.
        given: String,
    },
    /// An operator could not compute its result from these values.
    #[error("node {node}: {reason}")]
    Run {
        /// The operator and its name in the graph.
        node: String,
        /// Why not.
        reason: String,
    },
    /// The backend's device is not there.
    #[error("backend `wgpu` has no device: {reason}")]
    Device {
        /// Why not.
        reason: String,
    },
    /// A backend broke off inside an operator.
    #[error("node {node}: the backend panicked: {reason}")]
    Panic {
        /// The operator and its name in the graph.
        node: String,
        /// What it said.
        reason: String,
    },
}

impl Error {
    /// The bytes are no model.
    pub(super) fn decode(format: Format, reason: impl Into<String>) -> Error {
        Error::Decode { format, reason: reason.into() }
    }

    /// The model contradicts itself.
    pub(super) fn invalid(place: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Invalid { place: place.into(), reason: reason.into() }
    }

    /// Refuses what is over a limit.
    pub(super) fn limit(what: impl Into<String>, given: usize, limit: usize) -> Result<(), Error> {
        if given <= limit {
            return Ok(());
        }
        Err(Error::Limit { what: what.into(), given: given as u64, limit: limit as u64 })
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        let message = error.to_string();
        match error {
            Error::Decode { format: Format::Onnx, .. } => {
                types::Error::invalid(message).hint("give the .onnx file as its exporter wrote it")
            }
            Error::Decode { format: Format::Burn, .. } => types::Error::invalid(message).hint(
                "save the module with burn-store's SafetensorsStore and describe its layers in the metadata \
                 `embergrid`, as models/digits-burn/train does",
            ),
            Error::Decode { format: Format::Xgboost, .. } => types::Error::invalid(message)
                .hint("save the model with the Booster's `save_model` as model.json or model.ubj"),
            Error::Decode { format: Format::Lightgbm, .. } => types::Error::invalid(message)
                .hint("save the model with the Booster's `save_model` as model.txt"),
            Error::Unsupported { .. } => types::Error::invalid(message)
                .hint("export the model without these operators; a model is never run approximately"),
            Error::Limit { .. } => {
                types::Error::invalid(message).hint("raise the limit if the file is trusted")
            }
            Error::Invalid { .. } => types::Error::invalid(message).hint("export the model again"),
            Error::Input { .. } => {
                types::Error::invalid(message).hint("`embergrid model show` prints what a model takes")
            }
            Error::Run { .. } => types::Error::invalid(message),
            Error::Device { .. } => types::Error::unavailable(message).hint(
                "install the GPU's Vulkan driver, or `mesa-vulkan-drivers` to compute on the CPU; or use `flex`",
            ),
            Error::Panic { .. } => types::Error::internal(message),
        }
    }
}
