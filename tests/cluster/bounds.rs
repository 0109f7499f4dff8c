//! Clients that would take up too much.

use std::time::Duration;

use bytes::Bytes;
use embergrid::{
    server::Limits,
    wire::{ClientFrame, v1},
};
use tokio_stream::StreamExt;
use tonic::Code;

use crate::{
    node,
    raw::{packed, put, session, unpacked},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_past_the_limit_ends_the_session_and_nothing_else() {
    let node = node::start_with(Limits { frame_bytes: 64 << 10, ..Limits::default() }).await;
    let map = node.blobs().await;
    let (sender, mut replies) = session(&node.address).await;
    let value = vec![0; 100 << 10].into();
    let frame = ClientFrame { ops: packed([put(map.description().id.0, 1, value)]), ..Default::default() };
    sender.send(frame).await.unwrap();
    let status = replies.message().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("65536"), "{status}");
    assert_eq!(map.size().await.unwrap(), 0);

    // The SDK knows the limit and does not run into it.
    let error = map.put_raw(1, vec![0; 100 << 10].into()).await.unwrap_err();
    assert!(error.message.ends_with("more than the 65536 of a frame"), "{error}");
    map.put_raw(1, vec![0; 50 << 10].into()).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_its_replies_is_not_read_for_long() {
    let node = node::start().await;
    let map = node.blobs().await;
    let (sender, replies) = session(&node.address).await;
    let id = map.description().id.0;
    let value = Bytes::from(vec![0; 64 << 10]);
    let mut sent = 0_u64;
    // Each put is answered with the value before, so that replies are as long as what is sent.
    loop {
        let ops = packed((0..16).map(|op| put(id, sent * 16 + op + 1, value.clone())));
        let frame = ClientFrame { ops, acknowledged_below: sent * 16 + 1, ..Default::default() };
        match tokio::time::timeout(Duration::from_millis(500), sender.send(frame)).await {
            Ok(Ok(())) => sent += 1,
            _ => break,
        }
        // 64 MiB are far more than windows and credit together.
        assert!(sent < 64, "the node goes on reading");
    }
    // Whoever else is there does not notice.
    map.put_raw(1_000, Bytes::new()).await.unwrap();

    // Once the client reads, everything is answered.
    let mut answered = 0;
    let mut replies = replies;
    while answered < sent * 16 {
        answered += unpacked(replies.next().await.unwrap().unwrap()).len() as u64;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_of_no_use_is_refused_alone() {
    let node = node::start().await;
    let map = node.blobs().await;
    let (sender, mut replies) = session(&node.address).await;
    let id = map.description().id.0;
    let mut broken = put(id, 2, Bytes::new());
    broken.key = Bytes::from_static(&[9, 9]);
    let mut silent = put(id, 3, Bytes::new());
    silent.verb = None;
    let ops = packed([put(id, 1, Bytes::new()), broken, silent, put(id + 9, 4, Bytes::new())]);
    sender.send(ClientFrame { ops, ..Default::default() }).await.unwrap();
    let mut answers = Vec::new();
    while answers.len() < 4 {
        answers.extend(unpacked(replies.message().await.unwrap().unwrap()));
    }
    answers.sort_by_key(|reply| reply.tag);
    let messages: Vec<String> = answers
        .into_iter()
        .map(|reply| match reply.answer {
            Some(v1::reply::Answer::Error(error)) => error.message,
            _ => "done".to_string(),
        })
        .collect();
    assert_eq!(
        messages,
        [
            "done",
            "the packed key is malformed",
            "the operation says not what to do",
            &format!("there is no map with the id {} here yet", id + 9),
        ]
    );
    node.stop().await;
}
