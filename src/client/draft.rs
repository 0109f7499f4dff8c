//! PURE: operations as callers give them, packed once and sent as often as it takes.

use bytes::{BufMut, Bytes, BytesMut};
use prost::encoding::{self, WireType};

use crate::{
    session::Operation,
    wire::{Packed, v1::op::Verb},
};

/// Bytes of an operation that differ from one attempt to the next, and of its place in a frame, at most.
const HEAD_MOST_BYTES: usize = 24;
/// The second operation of a call and those after it share blocks of memory of this size, unless one is longer.
const BLOCK_BYTES: usize = 4096;

/// One operation: the message `Op` without `tag` and `number`.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    packed: Bytes,
    /// Where the key begins in it. A key has at most [`MAX_KEY_BYTES`](crate::types::MAX_KEY_BYTES).
    key_at: u8,
    key_len: u16,
    is_write: bool,
}

impl Draft {
    /// Appends the whole operation to a frame.
    pub(super) fn put_into(&self, ops: &mut Packed<3>, tag: u32, number: u64) {
        let mut head = [0; HEAD_MOST_BYTES];
        let mut rest = &mut head[..];
        if tag != 0 {
            encoding::uint32::encode(1, &tag, &mut rest);
        }
        if number != 0 {
            encoding::uint64::encode(2, &number, &mut rest);
        }
        let len = HEAD_MOST_BYTES - rest.len();
        ops.push_packed(&head[..len], &self.packed);
    }
}

impl Operation for Draft {
    fn key(&self) -> &[u8] {
        let key_at = usize::from(self.key_at);
        &self.packed[key_at..key_at + usize::from(self.key_len)]
    }

    fn bytes(&self) -> usize {
        HEAD_MOST_BYTES + self.packed.len()
    }

    fn is_write(&self) -> bool {
        self.is_write
    }
}

/// Packs the operations of one call.
#[derive(Debug)]
pub(super) struct Packer {
    map: u32,
    block: BytesMut,
    /// The least of the next block: nothing for the first, as most calls have one operation.
    block_bytes: usize,
}

impl Packer {
    pub(super) fn new(map: u32) -> Self {
        Packer { map, block: BytesMut::new(), block_bytes: 0 }
    }

    /// Packs one more.
    pub(super) fn pack(&mut self, key: &[u8], verb: &Verb) -> Draft {
        let bytes = HEAD_MOST_BYTES + key.len() + verb.encoded_len();
        if self.block.capacity() < bytes {
            self.block = BytesMut::with_capacity(self.block_bytes.max(bytes));
            self.block_bytes = BLOCK_BYTES;
        }
        let packed = &mut self.block;
        encoding::uint32::encode(3, &self.map, packed);
        encoding::encode_key(4, WireType::LengthDelimited, packed);
        encoding::encode_varint(key.len() as u64, packed);
        let key_at = packed.len() as u8;
        packed.put_slice(key);
        verb.encode(packed);
        Draft {
            packed: packed.split().freeze(),
            key_at,
            key_len: key.len() as u16,
            is_write: !matches!(verb, Verb::Get(_)),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::wire::v1;

    #[test]
    fn a_draft_is_the_message_without_tag_and_number() {
        let key = [1; 300];
        let put = v1::PutOp { value: vec![7; 5000].into(), want_old: true, ..Default::default() };
        let mut packer = Packer::new(u32::MAX);
        for verb in [Verb::Get(v1::GetOp { only_version: true }), Verb::Put(put)] {
            let draft = packer.pack(&key, &verb);
            assert_eq!(draft.key(), key);
            assert_eq!(draft.is_write(), matches!(verb, Verb::Put(_)));
            for (tag, number) in [(0, 0), (u32::MAX, u64::MAX)] {
                let op = v1::Op {
                    tag,
                    number,
                    map: u32::MAX,
                    key: Bytes::copy_from_slice(&key),
                    deadline_ms: 0,
                    verb: Some(verb.clone()),
                };
                let mut ops = Packed::default();
                draft.put_into(&mut ops, tag, number);
                assert!(ops.len() <= draft.bytes());
                let element = ops.elements().read_next().map(|element| element.bytes().to_vec());
                assert_eq!(element, Some(op.encode_to_vec()));
            }
        }
    }
}
