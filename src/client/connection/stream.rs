//! One stream of the session, to one node.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::oneshot;
use tokio_stream::Stream;
use tonic::{Streaming, transport::Channel};

use super::{Shared, State, Way};
use crate::{
    client::{calls::Answer, channel},
    session::{Hello, Identity, LinkId, Welcome},
    types::{Error, NodeId, Result, SessionId},
    wire::{
        ClientFrame, ServerFrame,
        v1::{self, reply},
    },
};

/// A stream on which the node has answered `hello`.
pub(super) struct Opened {
    pub(super) node: NodeId,
    pub(super) link: LinkId,
    pub(super) stream: u64,
    pub(super) channel: Channel,
    replies: Streaming<ServerFrame>,
    /// Over when the stream is given up.
    given_up: oneshot::Receiver<()>,
}

/// The frames of one stream.
struct Writer {
    shared: Arc<Shared>,
    stream: u64,
    hello: Option<ClientFrame>,
    /// Once the node has answered `hello`.
    link: Option<LinkId>,
    welcomed: oneshot::Receiver<LinkId>,
    said_goodbye: bool,
}

impl Stream for Writer {
    type Item = ClientFrame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClientFrame>> {
        let this = &mut *self;
        if this.said_goodbye {
            return Poll::Ready(None);
        }
        if let Some(hello) = this.hello.take() {
            return Poll::Ready(Some(hello));
        }
        let link = match this.link {
            Some(link) => link,
            None => match Pin::new(&mut this.welcomed).poll(cx) {
                Poll::Ready(Ok(link)) => *this.link.insert(link),
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            },
        };
        let mut state = this.shared.state.lock();
        let State { session, ways, ops, closed, .. } = &mut *state;
        let Some(way) = ways.get_mut(link.0).filter(|way| way.stream == this.stream) else {
            return Poll::Ready(None);
        };
        let below = session.frame(link, |draft, tag, number| draft.put_into(ops, tag, number));
        if let Some(acknowledged_below) = below {
            let ops = ops.take(usize::MAX);
            return Poll::Ready(Some(ClientFrame { acknowledged_below, ops, ..Default::default() }));
        }
        if *closed {
            // The reader stays until the node ends the stream: a stream that is given up takes the goodbye along.
            this.said_goodbye = true;
            return Poll::Ready(Some(ClientFrame { goodbye: true, ..Default::default() }));
        }
        way.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Opens a stream to the node at an address, which the channel leads to, and waits until it has answered `hello`. `wanted`
/// is the node that is to be there; none: whichever it is.
pub(super) async fn establish(
    shared: &Arc<Shared>,
    address: &str,
    channel: Channel,
    wanted: Option<NodeId>,
) -> Result<Opened> {
    let (welcome_writer, welcomed) = oneshot::channel();
    let (hello, stream) = {
        let mut state = shared.state.lock();
        state.streams += 1;
        (state.session.hello(), state.streams)
    };
    let writer = Writer {
        shared: shared.clone(),
        stream,
        hello: Some(frame(&hello)),
        link: None,
        welcomed,
        said_goodbye: false,
    };
    let mut grid = channel::grid(channel.clone());
    let opening = async move {
        let mut replies = grid.session(writer).await?.into_inner();
        let first = replies.message().await?;
        Ok::<_, tonic::Status>((first, replies))
    };
    let (first, replies) =
        tokio::time::timeout(shared.options.connect_timeout, opening).await.map_err(|_| {
            Error::unavailable(format!("the node at {address} accepts connections but opens no session"))
        })??;
    let welcome = first.and_then(|frame| frame.welcome).ok_or_else(|| {
        Error::unavailable("the node closed the session at once").hint("is it of the same version?")
    })?;
    let node = NodeId(welcome.node);
    if wanted.is_some_and(|wanted| wanted != node) {
        return Err(Error::unavailable(format!("another node answers at {address}")));
    }
    let (link, given_up) = welcomed_by(shared, stream, hello, &welcome)?;
    if wanted.is_none() {
        shared.state.lock().reached_at.insert(node, address.to_owned());
    }
    // The writer may have gone with its socket.
    let _ = welcome_writer.send(link);
    Ok(Opened { node, link, stream, channel, replies, given_up })
}

fn frame(hello: &Hello) -> ClientFrame {
    let identity = hello.identity;
    ClientFrame {
        hello: Some(v1::Hello {
            session: identity.map(|identity| identity.session.0),
            cluster: identity.map(|identity| identity.cluster),
        }),
        acknowledged_below: hello.acknowledged_below,
        ..Default::default()
    }
}

/// The stream becomes the one of its link.
fn welcomed_by(
    shared: &Shared,
    stream: u64,
    hello: Hello,
    welcome: &v1::Welcome,
) -> Result<(LinkId, oneshot::Receiver<()>)> {
    let welcome = Welcome {
        node: NodeId(welcome.node),
        asked: hello.identity,
        identity: Identity { session: SessionId(welcome.session), cluster: welcome.cluster },
        max_outstanding: welcome.max_outstanding,
        max_frame_bytes: welcome.max_frame_bytes as usize,
    };
    let (mut answers, mut wakers) = (Vec::new(), Vec::new());
    let mut state = shared.state.lock();
    let link = state.session.handle_welcome(&welcome, shared.now_us(), &mut answers);
    // First the streams that this one replaces end: its link may have the number of one of theirs.
    state.end_broken(&mut wakers);
    let (reading, given_up) = oneshot::channel();
    if let Some(link) = link {
        if state.ways.len() <= link.0 {
            state.ways.resize_with(link.0 + 1, Way::default);
        }
        state.ways[link.0] = Way { stream, writer: None, _reading: Some(reading) };
    }
    shared.settle(state, &mut answers, &mut wakers);
    let link = link.ok_or_else(|| Error::unavailable("the session has gone on over another stream"))?;
    Ok((link, given_up))
}

impl Opened {
    /// Reads replies until the stream breaks; says why.
    pub(super) async fn read(mut self, shared: &Shared) -> Error {
        let mut answers = Vec::new();
        let mut wakers = Vec::new();
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.replies.message() => match frame {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Error::unavailable("the node closed the session"),
                    Err(status) => return status.into(),
                },
                _ = &mut self.given_up => return Error::unavailable("the stream was given up"),
            };
            let now_us = shared.now_us();
            let mut state = shared.state.lock();
            if !state.is_current(self.link, self.stream) {
                return Error::unavailable("the stream was given up");
            }
            let mut fault = None;
            let mut replies = frame.replies.elements();
            while let Some(reply) = replies.read_next() {
                match reply.decode::<v1::Reply>() {
                    Ok(reply) => {
                        let (tag, answer) = (reply.tag, answer(reply));
                        state.session.handle_reply(self.link, tag, answer, now_us, &mut answers);
                    }
                    Err(error) => fault = Some(error),
                }
            }
            shared.settle(state, &mut answers, &mut wakers);
            if let Some(fault) = fault {
                return Error::internal(format!("a reply is malformed: {fault}"));
            }
        }
    }
}

fn answer(reply: v1::Reply) -> Answer {
    match reply.answer {
        Some(reply::Answer::Error(error)) => Err(error.into()),
        Some(answer) => Ok(answer),
        None => {
            Err(Error::internal("an answer of a kind that this client does not know")
                .hint("update the client"))
        }
    }
}
