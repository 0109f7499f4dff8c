//! ONNX files: the protobuf, decoded within limits, and the graph built from it.

mod attribute;
mod build;
mod function;
mod port;
pub(super) mod proto;
#[cfg(test)]
pub(super) mod sample;
mod scan;
mod tensor;
#[cfg(test)]
mod tests;

use prost::Message;

use super::{Error, Format, Limits, graph::Graph};

pub(super) use tensor::{dtype, element_name, raw, tensor};

/// Reads an ONNX model and builds its graph: sorted, names resolved, types not yet inferred.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Graph, Error> {
    if bytes.is_empty() {
        return Err(unreadable("the file is empty"));
    }
    let census = scan::scan(bytes, limits)?;
    let model = proto::ModelProto::decode(bytes).map_err(|error| unreadable(error.to_string()))?;
    build::graph(model, census, limits)
}

fn unreadable(reason: impl Into<String>) -> Error {
    Error::decode(Format::Onnx, reason)
}
