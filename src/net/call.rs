//! Calls: a request to one node, and its answer.

use std::time::Duration;

use bytes::BytesMut;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    codec, framing,
    lane::Lane,
    refusal::Refusal,
    stream::{Messages, write},
};
use crate::{
    telemetry::LaneMetrics,
    types::{Error, NodeId, Result},
};

/// The longest head of a call, in bytes.
const MAX_HEAD_BYTES: usize = 256;

/// A request that one node makes of another; each room defines its own and names them.
pub trait Call: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Unique among all calls: `room.verb`.
    const NAME: &'static str;

    /// The connection it goes over; [`Lane::Control`] or [`Lane::Bulk`].
    const LANE: Lane = Lane::Control;

    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
}

/// What precedes a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) name: String,
    /// How long the caller waits; afterwards nobody needs the answer.
    pub(super) within_us: u64,
}

/// What a caller is told when its time is over; both sides look at it.
pub(super) fn late(to: NodeId, name: &str, within: Duration) -> Error {
    Error::deadline(format!("node {to} did not answer `{}` within {within:?}", name.escape_debug()))
}

/// A request on its way in.
pub(super) struct Request {
    pub(super) head: Head,
    pub(super) body: BytesMut,
}

impl Request {
    /// Reads head and body.
    pub(super) async fn read(messages: &mut Messages) -> std::result::Result<Self, Refusal> {
        let head = messages.expect().await?;
        if head.len() > MAX_HEAD_BYTES {
            return Err(Refusal::protocol("a call whose head is too long"));
        }
        let head = codec::decode(&head).map_err(Refusal::protocol)?;
        Ok(Request { head, body: messages.expect().await? })
    }
}

/// A framed answer.
pub(super) fn frame_answer<A: Serialize>(answer: &Result<A>, lane: Lane) -> Vec<u8> {
    let mut framed = Vec::new();
    let frame = |answer: &Result<&A>, framed: &mut Vec<u8>| {
        framing::append(framed, lane.max_bytes(), |out| codec::encode_into(answer, out).map_err(Error::from))
    };
    if let Err(error) = frame(&answer.as_ref().map_err(Clone::clone), &mut framed) {
        // Short, and of a type that was encoded before: cannot fail.
        let _ = frame(&Err(error), &mut framed);
    }
    framed
}

/// Makes a call on a connection and waits for the answer.
pub(super) async fn call<C: Call>(
    connection: &quinn::Connection,
    to: NodeId,
    request: &C,
    within: Duration,
    metrics: &LaneMetrics,
) -> Result<C::Answer> {
    const { assert!(!matches!(C::LANE, Lane::Data), "the data lane takes no calls") };
    let framed = frame_request(request, within)?;
    // Without an answer nobody knows whether the request was carried out.
    match tokio::time::timeout(within, exchange(connection, framed, C::LANE, metrics)).await {
        Ok(Ok(answer)) => codec::decode::<Result<C::Answer>>(&answer).map_err(Error::from).flatten(),
        Ok(Err(refusal)) => {
            Err(Error::unavailable(format!("node {to} did not answer `{}`: {refusal}", C::NAME)))
        }
        Err(_) => Err(late(to, C::NAME, within)),
    }
}

fn frame_request<C: Call>(request: &C, within: Duration) -> Result<Vec<u8>> {
    let head =
        Head { name: C::NAME.to_owned(), within_us: u64::try_from(within.as_micros()).unwrap_or(u64::MAX) };
    let mut framed = Vec::new();
    framing::append(&mut framed, MAX_HEAD_BYTES, |out| codec::encode_into(&head, out).map_err(Error::from))?;
    framing::append(&mut framed, C::LANE.max_bytes(), |out| {
        codec::encode_into(request, out).map_err(Error::from)
    })?;
    Ok(framed)
}

impl From<framing::Oversized> for Error {
    fn from(fault: framing::Oversized) -> Self {
        Error::invalid(fault.to_string())
    }
}

async fn exchange(
    connection: &quinn::Connection,
    framed: Vec<u8>,
    lane: Lane,
    metrics: &LaneMetrics,
) -> std::result::Result<BytesMut, Refusal> {
    let (send, receive) = connection.open_bi().await?;
    metrics.messages_sent.add(1);
    metrics.bytes_sent.add(framed.len() as u64);
    let mut request = Unfinished(send);
    write(&mut request.0, framed).await?;
    // Fails if the peer wants no more of it; then the answer will not come either.
    let _ = request.0.finish();
    let answer = Messages::new(receive, lane.max_bytes()).expect().await?;
    metrics.messages_received.add(1);
    metrics.bytes_received.add(answer.len() as u64);
    Ok(answer)
}

/// A request that may be given up halfway: the peer must not take its part for the whole.
struct Unfinished(quinn::SendStream);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Fails on a stream that was finished and acknowledged, as most are.
        let _ = self.0.reset(0u32.into());
    }
}
