//! The frames of a session, their operations and replies left packed.
//!
//! They are the messages `ClientFrame` and `ServerFrame` of `proto/`, byte for byte. But a frame brings hundreds of
//! operations, and to make a struct of each, with handles of its key and its value, costs more than is done with most of
//! them. So a frame keeps the elements of its repeated field as they travel: whoever writes one appends to them, whoever
//! reads it looks at one after another.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::{
    DecodeError, Message,
    encoding::{self, DecodeContext, WireType},
};

use super::v1;

/// From the SDK: the message `ClientFrame`. The first of a stream has `hello`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientFrame {
    /// Opens a session, or takes up an earlier one.
    pub hello: Option<v1::Hello>,
    /// The answers to all requests with lower numbers have arrived.
    pub acknowledged_below: u64,
    /// Each a [`v1::Op`]; see [`super::OpRef`].
    pub ops: Packed<3>,
    /// Nothing of the session will be retried.
    pub goodbye: bool,
}

/// To the SDK: the message `ServerFrame`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerFrame {
    /// Answers `hello`.
    pub welcome: Option<v1::Welcome>,
    /// Each a [`v1::Reply`].
    pub replies: Packed<2>,
}

impl Message for ClientFrame {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if let Some(hello) = &self.hello {
            encoding::message::encode(1, hello, buf);
        }
        if self.acknowledged_below != 0 {
            encoding::uint64::encode(2, &self.acknowledged_below, buf);
        }
        buf.put_slice(&self.ops.0);
        if self.goodbye {
            encoding::bool::encode(4, &self.goodbye, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => encoding::message::merge(wire_type, self.hello.get_or_insert_default(), buf, ctx),
            2 => encoding::uint64::merge(wire_type, &mut self.acknowledged_below, buf, ctx),
            3 => self.ops.merge(wire_type, buf, ctx),
            4 => encoding::bool::merge(wire_type, &mut self.goodbye, buf, ctx),
            _ => encoding::skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        let acknowledged = self.acknowledged_below;
        self.hello.as_ref().map_or(0, |hello| encoding::message::encoded_len(1, hello))
            + if acknowledged == 0 { 0 } else { encoding::uint64::encoded_len(2, &acknowledged) }
            + self.ops.0.len()
            + if self.goodbye { encoding::bool::encoded_len(4, &true) } else { 0 }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Message for ServerFrame {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if let Some(welcome) = &self.welcome {
            encoding::message::encode(1, welcome, buf);
        }
        buf.put_slice(&self.replies.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => encoding::message::merge(wire_type, self.welcome.get_or_insert_default(), buf, ctx),
            2 => self.replies.merge(wire_type, buf, ctx),
            _ => encoding::skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        self.welcome.as_ref().map_or(0, |welcome| encoding::message::encoded_len(1, welcome))
            + self.replies.0.len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The elements of the repeated field `FIELD`, as they travel: for each the field's key, its length, itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed<const FIELD: u32>(BytesMut);

impl<const FIELD: u32> Packed<FIELD> {
    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long all elements are, as they travel.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends a message.
    pub fn push(&mut self, message: &impl Message) {
        encoding::message::encode(FIELD, message, &mut self.0);
    }

    /// Appends a message that is packed already, in two parts.
    pub fn push_packed(&mut self, head: &[u8], rest: &[u8]) {
        self.0.reserve(MOST_HEAD_BYTES + head.len() + rest.len());
        encoding::encode_key(FIELD, WireType::LengthDelimited, &mut self.0);
        encoding::encode_varint((head.len() + rest.len()) as u64, &mut self.0);
        self.0.put_slice(head);
        self.0.put_slice(rest);
    }

    /// Appends a message that is packed already, with other values of some of its fields of the type `uint32`. What it
    /// had stays in it: of a field that comes twice the last one counts.
    pub fn push_with(&mut self, message: Element<'_>, fields: &[(u32, u32)]) {
        let message = message.bytes();
        let more: usize =
            fields.iter().map(|(field, value)| encoding::uint32::encoded_len(*field, value)).sum();
        self.0.reserve(MOST_HEAD_BYTES + message.len() + more);
        encoding::encode_key(FIELD, WireType::LengthDelimited, &mut self.0);
        encoding::encode_varint((message.len() + more) as u64, &mut self.0);
        self.0.put_slice(message);
        for (field, value) in fields {
            encoding::uint32::encode(*field, value, &mut self.0);
        }
    }

    /// The elements as they travel, for [`Elements::read`].
    pub fn into_bytes(self) -> Bytes {
        self.0.freeze()
    }

    /// The elements, to be read one by one.
    pub fn elements(self) -> Elements {
        Elements { frame: self.0.freeze(), at: 0 }
    }

    /// Takes the first elements, at least one if there is any and no more than `bytes` of them otherwise.
    pub fn take(&mut self, bytes: usize) -> Self {
        if self.0.len() <= bytes {
            return Packed(self.0.split());
        }
        let mut end = 0;
        while let Some((_, next)) = element(&self.0[end..]) {
            if end > 0 && end + next > bytes {
                break;
            }
            end += next;
        }
        Packed(self.0.split_to(end))
    }

    fn merge(
        &mut self,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let mut message = Bytes::new();
        encoding::bytes::merge(wire_type, &mut message, buf, ctx)?;
        self.push_packed(&message, &[]);
        Ok(())
    }
}

/// The field `tag` of both [`v1::Op`] and [`v1::Reply`].
pub const TAG: u32 = 1;

/// The most bytes of a field's key and an element's length.
const MOST_HEAD_BYTES: usize = 16;

/// The elements of a frame, of which some may have been read.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    frame: Bytes,
    /// Where the first one that was not read begins.
    at: usize,
}

impl Elements {
    /// Takes the elements of the repeated field `field` as they travel; none if they are anything else.
    pub fn read(frame: Bytes, field: u32) -> Option<Self> {
        let mut rest = &frame[..];
        while !rest.is_empty() {
            let (_, end) = element(rest).filter(|_| is_of(rest, field))?;
            rest = rest.get(end..)?;
        }
        Some(Elements { frame, at: 0 })
    }

    /// Whether all are read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.frame.len()
    }

    /// The next element.
    pub fn read_next(&mut self) -> Option<Element<'_>> {
        let (start, end) = element(self.frame.get(self.at..)?)?;
        let message = self.frame.get(self.at + start..self.at + end)?;
        self.at += end;
        Some(Element { frame: &self.frame, message })
    }
}

/// One message within a frame.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    frame: &'a Bytes,
    message: &'a [u8],
}

impl<'a> Element<'a> {
    /// The message as it travels.
    pub fn bytes(self) -> &'a [u8] {
        self.message
    }

    /// The message's field 1 of the type `uint32`: the tag of an operation or a reply.
    pub fn tag(self) -> Result<u32, DecodeError> {
        let (mut tag, mut rest) = (0, self.message);
        while !rest.is_empty() {
            match encoding::decode_key(&mut rest)? {
                (TAG, wire_type) => encoding::uint32::merge(wire_type, &mut tag, &mut rest, context())?,
                (field, wire_type) => encoding::skip_field(wire_type, field, &mut rest, context())?,
            }
        }
        Ok(tag)
    }

    /// A handle of a part of the message; the frame stays in memory with it.
    pub fn handle(self, part: &[u8]) -> Bytes {
        self.frame.slice_ref(part)
    }

    /// Makes a struct of it.
    pub fn decode<M: Message + Default>(self) -> Result<M, DecodeError> {
        M::decode(self.handle(self.message))
    }
}

/// Where the first element's message begins and ends. `Packed` is only ever made of whole elements.
fn element(packed: &[u8]) -> Option<(usize, usize)> {
    let mut rest = packed;
    encoding::decode_key(&mut rest).ok()?;
    let len = usize::try_from(encoding::decode_varint(&mut rest).ok()?).ok()?;
    let start = packed.len() - rest.len();
    Some((start, start.checked_add(len)?))
}

/// Whether what begins here is an element of the field.
fn is_of(mut packed: &[u8], field: u32) -> bool {
    matches!(encoding::decode_key(&mut packed), Ok((tag, WireType::LengthDelimited)) if tag == field)
}

fn context() -> DecodeContext {
    DecodeContext::default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `ClientFrame` as it would be generated.
    #[derive(Clone, PartialEq, Message)]
    struct Generated {
        #[prost(message, optional, tag = "1")]
        hello: Option<v1::Hello>,
        #[prost(uint64, tag = "2")]
        acknowledged_below: u64,
        #[prost(message, repeated, tag = "3")]
        ops: Vec<v1::Op>,
        #[prost(bool, tag = "4")]
        goodbye: bool,
    }

    fn op() -> impl Strategy<Value = v1::Op> {
        (any::<u32>(), any::<u64>(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(
            |(tag, number, key)| v1::Op { tag, number, map: 7, key: key.into(), ..Default::default() },
        )
    }

    fn read<M: Message + Default, const FIELD: u32>(packed: Packed<FIELD>) -> Vec<M> {
        let mut elements = packed.elements();
        let mut messages = Vec::new();
        while let Some(element) = elements.read_next() {
            messages.push(element.decode().unwrap());
        }
        assert!(elements.is_empty());
        messages
    }

    proptest! {
        #[test]
        fn a_frame_is_the_generated_message(
            ops in prop::collection::vec(op(), 0..6),
            hello in prop::option::of(any::<u64>()),
            acknowledged_below: u64,
            goodbye: bool,
        ) {
            let hello = hello.map(|session| v1::Hello { session: Some(session), cluster: None });
            let bytes = Generated { hello, acknowledged_below, ops: ops.clone(), goodbye }.encode_to_vec();
            let frame = ClientFrame::decode(&bytes[..]).unwrap();
            prop_assert_eq!(frame.encode_to_vec(), bytes);
            prop_assert_eq!((frame.hello, frame.acknowledged_below, frame.goodbye), (hello, acknowledged_below, goodbye));
            prop_assert_eq!(read::<v1::Op, 3>(frame.ops), ops);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(frame) = ClientFrame::decode(&bytes[..]) {
                let mut elements = frame.ops.elements();
                while elements.read_next().is_some() {}
                prop_assert!(elements.is_empty());
            }
            let _ = ServerFrame::decode(&bytes[..]);
        }
    }

    #[test]
    fn a_frame_of_replies_is_the_generated_message() {
        let absent = v1::Reply { tag: 3, answer: Some(v1::reply::Answer::Absent(v1::Absent {})) };
        let welcome = v1::Welcome { session: 9, ..Default::default() };
        let mut frame = ServerFrame { welcome: Some(welcome), ..Default::default() };
        frame.replies.push(&absent);
        frame.replies.push(&v1::Reply::default());
        let again = ServerFrame::decode(&frame.encode_to_vec()[..]).unwrap();
        assert_eq!(again, frame);
        assert_eq!(read::<v1::Reply, 2>(again.replies), [absent, v1::Reply::default()]);
    }

    proptest! {
        #[test]
        fn an_element_goes_on_under_another_tag(op in op(), tag: u32, deadline_ms: u32) {
            let mut packed = Packed::<3>::default();
            packed.push(&op);
            let mut elements = packed.elements();
            let element = elements.read_next().unwrap();
            prop_assert_eq!(element.tag().unwrap(), op.tag);
            let mut again = Packed::<3>::default();
            again.push_with(element, &[(TAG, tag), (5, deadline_ms)]);
            again.push_with(element, &[(TAG, op.tag)]);
            let mut elements = Elements::read(again.clone().into_bytes(), 3).unwrap();
            prop_assert_eq!(elements.read_next().unwrap().tag().unwrap(), tag);
            prop_assert_eq!(read::<v1::Op, 3>(again), [v1::Op { tag, deadline_ms, ..op.clone() }, op]);
        }

        #[test]
        fn elements_from_outside_are_whole_or_refused(
            ops in prop::collection::vec(op(), 1..4),
            cut: prop::sample::Index,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut packed = Packed::<3>::default();
            ops.iter().for_each(|op| packed.push(op));
            let whole = packed.into_bytes();
            prop_assert!(Elements::read(whole.clone(), 2).is_none());
            let cut = whole.slice(..cut.index(whole.len()));
            for bytes in [whole, cut, bytes.into()] {
                let Some(mut elements) = Elements::read(bytes, 3) else { continue };
                while let Some(element) = elements.read_next() {
                    let _ = element.tag();
                }
                prop_assert!(elements.is_empty());
            }
        }
    }

    #[test]
    fn the_first_elements_leave_by_their_length() {
        let mut packed = Packed::<2>::default();
        let of = |len: usize| v1::PutOp { value: vec![1; len].into(), ..Default::default() };
        for len in [100, 10, 10, 10] {
            packed.push(&of(len));
        }
        let mut lens = Vec::new();
        while !packed.is_empty() {
            lens.push(
                read::<v1::PutOp, 2>(packed.take(30)).iter().map(|put| put.value.len()).collect::<Vec<_>>(),
            );
        }
        assert_eq!(lens, [vec![100], vec![10, 10], vec![10]]);
    }
}
