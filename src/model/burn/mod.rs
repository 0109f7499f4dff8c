//! Models trained with burn: a module's weights as burn-store writes them (safetensors), and in the file's metadata,
//! under `embergrid`, a description of its layers.
//!
//! A burn module's `forward` is Rust code, of which the weights keep nothing. So the file says itself which layers its
//! weights belong to, and stays one immutable, self-contained thing with one digest. In the program that trains:
//!
//! ```text
//! let mut store = SafetensorsStore::from_file("model.safetensors").metadata("embergrid", LAYERS);
//! model.save_into(&mut store)?;
//! ```
//!
//! where `LAYERS` is TOML (see [`description`]):
//!
//! ```toml
//! format = 1
//! input = { name = "x", width = 64 }
//! layers = [
//!   { kind = "linear", name = "hidden" },   # reads hidden.weight and hidden.bias
//!   { kind = "relu" },
//!   { kind = "linear", name = "output" },
//!   { kind = "softmax" },
//! ]
//! output = { name = "probabilities" }
//! ```
//!
//! Layers follow each other; each is lowered to the operators that the same layer has in an ONNX file, so that the same
//! passes, plan and backends run it. Weights of 16 bits are widened, those of 64 bits rounded to 32, as burn does where
//! it reads them into a module of 32-bit floats.

mod description;
mod lower;
#[cfg(test)]
mod tests;
mod weights;

use super::{Error, Format, Limits, graph::Graph};
use description::Description;
use weights::Weights;

/// Where in a file's metadata the description stands.
const DESCRIPTION: &str = "embergrid";

/// Reads a file: its graph, sorted, types not yet inferred, and the layers that it was made of, as `burn:kind`.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<(Graph, Vec<String>), Error> {
    let weights = Weights::read(bytes, limits)?;
    let Some(text) = weights.metadata(DESCRIPTION) else {
        return Err(unreadable(format!(
            "nothing says which layers its weights belong to: the metadata `{DESCRIPTION}` is missing"
        )));
    };
    let description = Description::parse(text)?;
    let graph = lower::graph(&description, &weights, limits)?;
    let layers = description.kinds.iter().map(|kind| format!("burn:{kind}")).collect();
    Ok((graph, layers))
}

fn unreadable(reason: impl Into<String>) -> Error {
    Error::decode(Format::Burn, reason)
}
