//! One operation of a frame, read where it lies.

use prost::{
    DecodeError, Message,
    encoding::{self, DecodeContext, WireType},
};

use super::{
    Element,
    v1::{self, op::Verb},
};

/// The message `Op`. Its key stays in the frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpRef<'a> {
    /// Comes back with the answer.
    pub tag: u32,
    /// A write's request number; 0 for reads.
    pub number: u64,
    /// The map's id.
    pub map: u32,
    /// A packed key.
    pub key: &'a [u8],
    /// How long the answer is of use; 0: no limit.
    pub deadline_ms: u32,
    /// What to do.
    pub verb: Option<Verb>,
}

impl<'a> OpRef<'a> {
    /// Reads an operation. Of fields that come twice the last one counts, also where protobuf would merge them.
    pub fn read(element: Element<'a>) -> Result<Self, DecodeError> {
        let mut op = Self::default();
        let mut rest = element.bytes();
        while !rest.is_empty() {
            let (tag, wire_type) = encoding::decode_key(&mut rest)?;
            match tag {
                1 => encoding::uint32::merge(wire_type, &mut op.tag, &mut rest, context())?,
                2 => encoding::uint64::merge(wire_type, &mut op.number, &mut rest, context())?,
                3 => encoding::uint32::merge(wire_type, &mut op.map, &mut rest, context())?,
                4 => op.key = delimited(wire_type, tag, &mut rest)?,
                5 => encoding::uint32::merge(wire_type, &mut op.deadline_ms, &mut rest, context())?,
                6 => op.verb = Some(Verb::Get(v1::GetOp::decode(delimited(wire_type, tag, &mut rest)?)?)),
                7 => op.verb = Some(Verb::Put(put(element, delimited(wire_type, tag, &mut rest)?)?)),
                8 => {
                    op.verb = Some(Verb::Remove(v1::RemoveOp::decode(delimited(wire_type, tag, &mut rest)?)?))
                }
                9 => op.verb = Some(Verb::SetTtl(v1::TtlOp::decode(delimited(wire_type, tag, &mut rest)?)?)),
                10 => {
                    op.verb =
                        Some(Verb::Execute(v1::ExecuteOp::decode(delimited(wire_type, tag, &mut rest)?)?))
                }
                _ => encoding::skip_field(wire_type, tag, &mut rest, context())?,
            }
        }
        Ok(op)
    }
}

fn put(element: Element<'_>, mut rest: &[u8]) -> Result<v1::PutOp, DecodeError> {
    let mut put = v1::PutOp::default();
    while !rest.is_empty() {
        let (tag, wire_type) = encoding::decode_key(&mut rest)?;
        match tag {
            1 => put.value = element.handle(delimited(wire_type, tag, &mut rest)?),
            _ => put.merge_field(tag, wire_type, &mut rest, context())?,
        }
    }
    Ok(put)
}

/// The bytes of a field that has a length.
fn delimited<'a>(wire_type: WireType, tag: u32, rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    encoding::check_wire_type(WireType::LengthDelimited, wire_type)?;
    let mut after = *rest;
    encoding::skip_field(wire_type, tag, &mut after, context())?;
    let whole = &rest[..rest.len() - after.len()];
    *rest = after;
    let mut contents = whole;
    let len = encoding::decode_varint(&mut contents)? as usize;
    Ok(&contents[..len])
}

fn context() -> DecodeContext {
    DecodeContext::default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Packed;

    fn verb() -> impl Strategy<Value = Option<Verb>> {
        let value = || prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        prop_oneof![
            Just(None),
            any::<bool>().prop_map(|only_version| Some(Verb::Get(v1::GetOp { only_version }))),
            (value(), 0..4, any::<u64>(), any::<bool>(), any::<u64>()).prop_map(
                |(value, mode, expected_version, want_old, ttl_ms)| Some(Verb::Put(v1::PutOp {
                    value,
                    mode,
                    expected_version,
                    want_old,
                    ttl_ms
                }))
            ),
            (prop::option::of(any::<u64>()), any::<bool>()).prop_map(|(expected_version, want_old)| Some(
                Verb::Remove(v1::RemoveOp { expected_version, want_old })
            )),
            any::<u64>().prop_map(|ttl_ms| Some(Verb::SetTtl(v1::TtlOp { ttl_ms }))),
            "[ -~]{0,40}".prop_map(|update| Some(Verb::Execute(v1::ExecuteOp { update }))),
        ]
    }

    /// Reads one operation by both ways.
    fn both(message: &[u8]) -> (Option<v1::Op>, Option<v1::Op>) {
        let mut ops = Packed::<3>::default();
        ops.push_packed(message, &[]);
        let mut elements = ops.elements();
        let read = OpRef::read(elements.read_next().expect("one")).ok().map(|op| v1::Op {
            tag: op.tag,
            number: op.number,
            map: op.map,
            key: Bytes::copy_from_slice(op.key),
            deadline_ms: op.deadline_ms,
            verb: op.verb,
        });
        (read, v1::Op::decode(message).ok())
    }

    proptest! {
        #[test]
        fn reads_what_the_generated_code_reads(
            (tag, number, map, deadline_ms) in any::<(u32, u64, u32, u32)>(),
            key in prop::collection::vec(any::<u8>(), 0..40),
            verb in verb(),
        ) {
            let op = v1::Op { tag, number, map, key: key.into(), deadline_ms, verb };
            let (read, generated) = both(&op.encode_to_vec());
            prop_assert_eq!(&read, &generated);
            prop_assert_eq!(read, Some(op));
        }

        #[test]
        fn refuses_what_the_generated_code_refuses(
            op in (verb(), any::<u64>()).prop_map(|(verb, number)| v1::Op { verb, number, ..Default::default() }),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut message = op.encode_to_vec();
            if !message.is_empty() {
                message[at.index(op.encoded_len())] = byte;
            }
            let (read, generated) = both(&message);
            prop_assert_eq!(read.is_some(), generated.is_some());
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(message in prop::collection::vec(any::<u8>(), 0..200)) {
            both(&message);
        }
    }
}
