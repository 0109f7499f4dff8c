//! A walk over the wire format that counts what decoding would allocate, before anything is decoded.
//!
//! A message of two bytes in the file becomes a struct of hundreds in memory, so a length limit alone would let a
//! small file take all memory.

use prost::Message;

use super::{
    super::{Error, Limits},
    proto::AttributeProto,
    unreadable,
};

/// A message whose parts are counted; the others are skipped as a whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    Function,
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
        (Kind::Model, 7) | (Kind::Attribute, 6 | 11) => Message(Kind::Graph),
        (Kind::Model, 25) => Message(Kind::Function),
        (Kind::Model, 8) | (Kind::Function, 9) => Message(Kind::Leaf),
        (Kind::Graph, 1) | (Kind::Function, 7) => Message(Kind::Node),
        (Kind::Graph, 5) => Message(Kind::Tensor),
        (Kind::Graph, 15) => Message(Kind::SparseTensor),
        (Kind::Graph, 11 | 12) => Message(Kind::ValueInfo),
        (Kind::Node, 5) | (Kind::Function, 11) => Message(Kind::Attribute),
        (Kind::Node, 1 | 2) | (Kind::Function, 4..=6) => Text,
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

/// Types nest: a sequence of maps of tensors.
const TYPES: usize = 8;
/// Messages a node may bring along: attributes, weights, ports.
const MESSAGES_PER_NODE: usize = 16;

/// What decoding a part of the file takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    bytes: usize,
    nodes: usize,
    messages: usize,
    texts: usize,
}

impl Tally {
    /// That of an attribute.
    pub(super) fn attribute(proto: &AttributeProto) -> Tally {
        Tally { bytes: proto.encoded_len(), texts: proto.strings.len(), ..Tally::default() }
    }

    /// Adds what another part takes, if both together are within the limits.
    pub(super) fn add(&mut self, other: Tally, limits: &Limits) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.messages = self.messages.saturating_add(other.messages);
        self.texts = self.texts.saturating_add(other.texts);
        Error::limit("the file's length in bytes", self.bytes, limits.bytes)?;
        self.check(limits)
    }

    fn check(&self, limits: &Limits) -> Result<(), Error> {
        Error::limit("the number of operators", self.nodes, limits.nodes)?;
        let most = limits.nodes.saturating_mul(MESSAGES_PER_NODE);
        Error::limit("the number of attributes, tensors and ports", self.messages, most)?;
        Error::limit("the number of strings", self.texts, limits.texts)
    }
}

/// What decoding the file takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) whole: Tally,
    /// Each function's share, in the order of the file.
    pub(super) functions: Vec<Tally>,
}

/// Checks that decoding these bytes takes a bounded amount of memory.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<Census, Error> {
    Error::limit("the file's length in bytes", bytes.len(), limits.bytes)?;
    let mut walk = Walk { limits, census: Census::default() };
    walk.message(bytes, Kind::Model, Depth::default())?;
    walk.census.whole.bytes = bytes.len();
    Ok(walk.census)
}

/// How many messages of a kind that nests are around one.
#[derive(Clone, Copy, Default)]
struct Depth {
    graphs: usize,
    types: usize,
}

struct Walk<'l> {
    limits: &'l Limits,
    census: Census,
}

impl Walk<'_> {
    fn message(&mut self, mut bytes: &[u8], kind: Kind, mut depth: Depth) -> Result<(), Error> {
        depth.graphs += usize::from(kind == Kind::Graph);
        depth.types += usize::from(kind == Kind::Type);
        // The model's own graph is around all others.
        Error::limit(
            "the depth of graphs in each other",
            depth.graphs,
            self.limits.nesting.saturating_add(1),
        )?;
        if depth.types > TYPES {
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

    fn enter(&mut self, body: &[u8], field: Field, depth: Depth) -> Result<(), Error> {
        let tally = &mut self.census.whole;
        match field {
            Field::Message(kind) => {
                tally.messages += 1;
                tally.nodes += usize::from(kind == Kind::Node);
                tally.check(self.limits)?;
                let before = *tally;
                self.message(body, kind, depth)?;
                if kind == Kind::Function {
                    self.function(body.len(), before);
                }
                Ok(())
            }
            Field::Text => {
                tally.texts += 1;
                Error::limit("the length of a string in bytes", body.len(), self.limits.text)?;
                tally.check(self.limits)
            }
            Field::Other => Ok(()),
        }
    }

    /// Notes what a function of so many bytes takes, itself included.
    fn function(&mut self, bytes: usize, before: Tally) {
        let now = self.census.whole;
        self.census.functions.push(Tally {
            bytes,
            nodes: now.nodes - before.nodes + 1,
            messages: now.messages - before.messages + 1,
            texts: now.texts - before.texts,
        });
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
        assert_eq!(scan(&[], &limits), Ok(Census::default()));
    }

    #[test]
    fn two_bytes_a_node_do_not_pass_the_limit() {
        let nodes: Vec<u8> = [0x0a, 0].repeat(10);
        let mut file = vec![0x3a, nodes.len() as u8];
        file.extend(nodes);
        let limits = Limits { nodes: 9, ..Limits::default() };
        let error = scan(&file, &limits).unwrap_err();
        assert_eq!(error.to_string(), "the number of operators is 10, over the limit of 9");
        assert!(scan(&file, &Limits { nodes: 10, ..limits }).is_ok());
    }
}
