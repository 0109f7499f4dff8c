//! A session without the SDK: what goes to which node is up to the test.

use bytes::Bytes;
use embergrid::{
    types::Key,
    wire::{
        ClientFrame, Packed, ServerFrame,
        v1::{self, grid_client::GridClient, op::Verb},
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

/// Frames go in at the sender.
pub(crate) async fn session(address: &str) -> (mpsc::Sender<ClientFrame>, Streaming<ServerFrame>) {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let (sender, frames) = mpsc::channel(1);
    let hello = ClientFrame { hello: Some(v1::Hello::default()), ..Default::default() };
    sender.send(hello).await.unwrap();
    let mut grid = GridClient::new(channel).max_encoding_message_size(usize::MAX);
    let mut replies = grid.session(ReceiverStream::new(frames)).await.unwrap().into_inner();
    assert!(replies.message().await.unwrap().unwrap().welcome.is_some());
    (sender, replies)
}

/// Puts a value under one of a hundred keys.
pub(crate) fn put(map: u32, number: u64, value: Bytes) -> v1::Op {
    v1::Op {
        tag: number as u32,
        number,
        map,
        key: Bytes::copy_from_slice(Key::from(number as i64 % 100).packed()),
        deadline_ms: 0,
        verb: Some(Verb::Put(v1::PutOp { value, want_old: true, ..Default::default() })),
    }
}

/// Reads what [`put`] has put.
pub(crate) fn get(map: u32, tag: u32, number: u64) -> v1::Op {
    v1::Op {
        tag,
        number: 0,
        verb: Some(Verb::Get(v1::GetOp { only_version: false })),
        ..put(map, number, Bytes::new())
    }
}

pub(crate) fn packed(ops: impl IntoIterator<Item = v1::Op>) -> Packed<3> {
    let mut packed = Packed::default();
    ops.into_iter().for_each(|op| packed.push(&op));
    packed
}

pub(crate) fn unpacked(frame: ServerFrame) -> Vec<v1::Reply> {
    let mut elements = frame.replies.elements();
    let mut replies = Vec::new();
    while let Some(element) = elements.read_next() {
        replies.push(element.decode().unwrap());
    }
    replies
}
