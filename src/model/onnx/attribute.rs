//! Attributes and weights: all but graphs inside of nodes.

use std::sync::Arc;

use super::{
    super::{Error, Limits, Tensor, graph::Attribute},
    dtype, element_name,
    proto::{AttributeProto, TensorProto, attribute},
    tensor,
};

/// Reads weights, wherever they are, and counts their elements.
pub(super) struct Weights<'l> {
    pub(super) limits: &'l Limits,
    elements: usize,
}

impl<'l> Weights<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Weights { limits, elements: 0 }
    }

    /// The tensor; in words what it is, if its elements are of a type that the engine does not have.
    pub(super) fn read(&mut self, proto: &TensorProto, place: &str) -> Result<Result<Tensor, String>, Error> {
        if dtype(proto.data_type).is_none() {
            return Ok(Err(format!("a tensor of {}", element_name(proto.data_type))));
        }
        let tensor = tensor(proto, place, self.limits)?;
        self.elements += tensor.data.len();
        Error::limit("the number of elements of all weights", self.elements, self.limits.parameters)?;
        Ok(Ok(tensor))
    }
}

/// The value of an attribute.
pub(super) fn value(
    proto: AttributeProto,
    place: &str,
    weights: &mut Weights<'_>,
) -> Result<Attribute, Error> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| Error::invalid(place, "it is not UTF-8"));
    Ok(match proto.kind {
        attribute::FLOAT => Attribute::Float(proto.f),
        attribute::INT => Attribute::Int(proto.i),
        attribute::STRING => Attribute::Text(text(proto.s)?),
        attribute::FLOATS => Attribute::Floats(proto.floats),
        attribute::INTS => Attribute::Ints(proto.ints),
        attribute::STRINGS => {
            Attribute::Texts(proto.strings.into_iter().map(text).collect::<Result<_, _>>()?)
        }
        attribute::TENSOR => {
            let Some(proto) = proto.t else { return Err(Error::invalid(place, "it holds no tensor")) };
            match weights.read(&proto, place)? {
                Ok(tensor) => Attribute::Tensor(Arc::new(tensor)),
                Err(kind) => Attribute::Foreign(kind),
            }
        }
        attribute::GRAPH => Attribute::Foreign("a graph given to a function".to_owned()),
        kind => Attribute::Foreign(format!("an attribute of kind {kind}")),
    })
}
