//! A walk over the wire format that counts what decoding would allocate, before anything is decoded.
//!
//! A message of two bytes in the file becomes a struct of hundreds in memory, so a length limit alone would let a
//! small file take all memory.

use super::{
    super::{Error, Limits},
    unreadable,
};

/// A message whose parts are counted; the others are skipped as a whole.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Type,
    Sequence,
    Map,
    TensorType,
    Shape,
    Leaf,
}

/// What a field of a message is to the walk.
enum Field {
    Message(Kind),
    Text,
    Other,
}

fn field(kind: Kind, number: u64) -> Field {
    use Field::{Message, Other, Text};
    match (kind, number) {
        (Kind::Model, 7) => Message(Kind::Graph),
        (Kind::Model, 8 | 25) => Message(Kind::Leaf),
        (Kind::Graph, 1) => Message(Kind::Node),
        (Kind::Graph, 5) => Message(Kind::Tensor),
        (Kind::Graph, 15) => Message(Kind::SparseTensor),
        (Kind::Graph, 11 | 12) => Message(Kind::ValueInfo),
        (Kind::Node, 5) => Message(Kind::Attribute),
        (Kind::Node, 1 | 2) => Text,
        (Kind::Attribute, 5) | (Kind::SparseTensor, 1) => Message(Kind::Tensor),
        (Kind::Attribute, 9) | (Kind::Tensor, 6) => Text,
        (Kind::Tensor, 13) => Message(Kind::Leaf),
        (Kind::ValueInfo, 2) => Message(Kind::Type),
        (Kind::Type, 1) => Message(Kind::TensorType),
        (Kind::Type, 4) => Message(Kind::Sequence),
        (Kind::Type, 5) => Message(Kind::Map),
        (Kind::Sequence, 1) | (Kind::Map, 2) => Message(Kind::Type),
        (Kind::TensorType, 2) => Message(Kind::Shape),
        (Kind::Shape, 1) => Message(Kind::Leaf),
        _ => Other,
    }
}

/// Types nest (a sequence of maps of tensors); nothing else does, since graphs inside nodes are not decoded.
const DEPTH: usize = 16;
/// Messages a node may bring along: attributes, weights, ports.
const MESSAGES_PER_NODE: usize = 16;

struct Tally<'l> {
    limits: &'l Limits,
    nodes: usize,
    messages: usize,
    texts: usize,
}

/// Checks that decoding these bytes takes a bounded amount of memory.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    Error::limit("the file's length in bytes", bytes.len(), limits.bytes)?;
    Tally { limits, nodes: 0, messages: 0, texts: 0 }.walk(bytes, Kind::Model, 0)
}

impl Tally<'_> {
    fn walk(&mut self, mut bytes: &[u8], kind: Kind, depth: usize) -> Result<(), Error> {
        if depth > DEPTH {
            return Err(unreadable("types are nested too deeply"));
        }
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            match tag & 7 {
                0 => {
                    varint(&mut bytes)?;
                }
                1 => skip(&mut bytes, 8)?,
                2 => {
                    let length = varint(&mut bytes)?;
                    let body = bytes;
                    skip(&mut bytes, length)?;
                    self.enter(&body[..length as usize], field(kind, tag >> 3), depth)?;
                }
                5 => skip(&mut bytes, 4)?,
                wire => return Err(unreadable(format!("wire type {wire} does not occur in ONNX"))),
            }
        }
        Ok(())
    }

    fn enter(&mut self, body: &[u8], field: Field, depth: usize) -> Result<(), Error> {
        match field {
            Field::Message(kind) => {
                self.messages += 1;
                self.nodes += usize::from(matches!(kind, Kind::Node));
                Error::limit("the number of operators", self.nodes, self.limits.nodes)?;
                let most = self.limits.nodes.saturating_mul(MESSAGES_PER_NODE);
                Error::limit("the number of attributes, tensors and ports", self.messages, most)?;
                self.walk(body, kind, depth + 1)
            }
            Field::Text => {
                self.texts += 1;
                Error::limit("the length of a string in bytes", body.len(), self.limits.text)?;
                Error::limit("the number of strings", self.texts, self.limits.texts)
            }
            Field::Other => Ok(()),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let Some((&byte, rest)) = bytes.split_first() else { return Err(truncated()) };
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(unreadable("a number is longer than ten bytes"))
}

fn skip(bytes: &mut &[u8], length: u64) -> Result<(), Error> {
    let rest = usize::try_from(length).ok().and_then(|length| bytes.get(length..));
    *bytes = rest.ok_or_else(truncated)?;
    Ok(())
}

fn truncated() -> Error {
    unreadable("the file ends in the middle of a field: it is truncated or no ONNX file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_ends_beyond_the_file_is_truncated() {
        let limits = Limits::default();
        assert_eq!(scan(&[0x3a, 5, 1, 2], &limits), Err(truncated()));
        assert_eq!(scan(&[0x3a], &limits), Err(truncated()));
        assert_eq!(scan(&[], &limits), Ok(()));
    }

    #[test]
    fn two_bytes_a_node_do_not_pass_the_limit() {
        let nodes: Vec<u8> = [0x0a, 0].repeat(10);
        let mut file = vec![0x3a, nodes.len() as u8];
        file.extend(nodes);
        let limits = Limits { nodes: 9, ..Limits::default() };
        let error = scan(&file, &limits).unwrap_err();
        assert_eq!(error.to_string(), "the number of operators is 10, over the limit of 9");
        assert_eq!(scan(&file, &Limits { nodes: 10, ..limits }), Ok(()));
    }
}
