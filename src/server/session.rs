//! A client's session: one stream of frames in, one of frames out.
//!
//! All of it runs in the task that writes the replies: it is polled only while the connection has room for a reply,
//! so a client that does not read its replies is not read either. On top of that a session has credit for so many
//! operations and bytes, from decoding to reply; past it, no frame is taken from the stream (protocol rule 12).

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use prost::DecodeError;
use slab::Slab;
use tokio_stream::Stream;
use tonic::{Code, Status, Streaming};

use super::{
    Limits, answer,
    operation::{Action, Frame},
    service::Service,
};
use crate::{
    node::{Connection, Grid, Replies, Reply},
    partition::{MapView, Op, Request, View},
    store::GLANCES,
    types::{Error, Key, MapId, Result, SessionId},
    wire::{
        ClientFrame, Element, Elements, MAX_OUTSTANDING, OpRef, Packed, ServerFrame,
        v1::{self, reply},
    },
};

/// How long a client may take to introduce itself.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of replies in one frame, unless a single one has more.
const FRAME_BYTES: usize = 256 << 10;

/// Opens a session, or takes one up again, and answers its frames.
pub(super) async fn open(service: Service, mut frames: Streaming<ClientFrame>) -> Result<Session> {
    let Service { grid, limits, stopping } = service;
    let first = tokio::time::timeout(HELLO_TIMEOUT, frames.message())
        .await
        .map_err(|_| Error::invalid("the client did not introduce itself in time"))??;
    let hello = first.and_then(|frame| frame.hello).ok_or_else(|| {
        Error::invalid("a session begins with a frame that has `hello`").hint("is it an Embergrid client?")
    })?;
    let asked = hello.session.map(SessionId).filter(|_| hello.cluster == Some(grid.cluster()));
    let known = match asked {
        Some(session) if grid.resume_session(session).await? => Some(session),
        _ => None,
    };
    let id = match known {
        Some(id) => id,
        None => grid.open_session().await?,
    };
    let welcome = v1::Welcome {
        session: id.0,
        cluster: grid.cluster(),
        renewed: known.is_none() && hello.session.is_some(),
        partition_count: grid.partition_count().into(),
        max_frame_bytes: u32::try_from(limits.frame_bytes).unwrap_or(u32::MAX),
        max_outstanding: MAX_OUTSTANDING,
        node: grid.me().0,
    };
    let connection = grid.connect();
    let replies = connection.replies();
    Ok(Session {
        id,
        limits,
        view: grid.view(),
        grid,
        connection,
        replies,
        frames: Some(frames),
        welcome: Some(welcome),
        acknowledged_below: 0,
        ops: Elements::default(),
        reads: VecDeque::new(),
        requests: Vec::new(),
        answered: Vec::new(),
        under_way: Slab::new(),
        bytes: 0,
        ready: Packed::default(),
        is_over: false,
        stop: Some(Box::pin(stopping.wait())),
    })
}

/// One client's session on one stream.
pub(super) struct Session {
    id: SessionId,
    limits: Limits,
    grid: Grid,
    view: Arc<View>,
    connection: Connection,
    replies: Replies,
    /// `None` once the client has sent its last frame.
    frames: Option<Streaming<ClientFrame>>,
    welcome: Option<v1::Welcome>,
    acknowledged_below: u64,
    /// What is left of the last frame.
    ops: Elements,
    /// Reads among them that are not answered: a few, so that their rows are found together.
    reads: VecDeque<Read>,
    /// Filled and emptied within a call; kept for their capacity.
    requests: Vec<Request>,
    answered: Vec<Reply>,
    /// Writes whose answers are owed.
    under_way: Slab<Write>,
    /// Of operations under way.
    bytes: usize,
    /// Replies that have not left.
    ready: Packed<2>,
    /// The client has said goodbye.
    is_over: bool,
    /// Over when the server is to stop; `None` from then on.
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// A read to be answered.
struct Read {
    /// The client's.
    tag: u32,
    map: MapId,
    key: Key,
    only_version: bool,
}

/// A write whose answer is owed.
struct Write {
    /// The client's.
    tag: u32,
    bytes: usize,
    map: Arc<MapView>,
    is_update: bool,
}

impl Stream for Session {
    type Item = std::result::Result<ServerFrame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(welcome) = this.welcome.take() {
            return Poll::Ready(Some(Ok(ServerFrame { welcome: Some(welcome), ..Default::default() })));
        }
        loop {
            if let Err(error) = this.work() {
                this.frames = None;
                return Poll::Ready(Some(Err(Status::internal(error.to_string()))));
            }
            let waiting = this.replies.poll_take(cx, &mut this.answered).is_pending();
            this.take_answers();
            if !this.ready.is_empty() {
                return Poll::Ready(Some(Ok(ServerFrame {
                    welcome: None,
                    replies: this.ready.take(FRAME_BYTES),
                })));
            }
            if !waiting {
                continue;
            }
            let Some(stop) = &mut this.stop else { return Poll::Ready(None) };
            if stop.as_mut().poll(cx).is_ready() {
                this.stop = None;
                let stopping = Error::unavailable("the node is shutting down");
                return Poll::Ready(Some(Err(stopping.into())));
            }
            if this.is_out_of_credit() {
                return Poll::Pending;
            }
            if !this.ops.is_empty() || !this.reads.is_empty() {
                continue;
            }
            let Some(frames) = &mut this.frames else {
                return if this.under_way.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            };
            match Pin::new(frames).poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => this.take_frame(frame),
                Poll::Ready(Some(Err(status))) => {
                    this.frames = None;
                    return Poll::Ready(Some(Err(refused(status, this.limits))));
                }
                Poll::Ready(None) => this.frames = None,
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Session {
    fn take_frame(&mut self, frame: ClientFrame) {
        self.view = self.grid.view();
        self.acknowledged_below = self.acknowledged_below.max(frame.acknowledged_below);
        self.ops = frame.ops.elements();
        if frame.goodbye {
            self.is_over = true;
            self.frames = None;
        }
    }

    fn is_out_of_credit(&self) -> bool {
        self.under_way.len() >= self.limits.session_operations || self.bytes >= self.limits.session_bytes
    }

    /// Handles operations of the last frame for as long as there is credit and room for replies.
    fn work(&mut self) -> std::result::Result<(), DecodeError> {
        if self.ops.is_empty() && self.reads.is_empty() {
            return Ok(());
        }
        let now_us = self.grid.mono_us();
        let view = self.view.clone();
        let frame =
            Frame { view: &view, session: self.id, acknowledged_below: self.acknowledged_below, now_us };
        let mut ops = std::mem::take(&mut self.ops);
        while self.ready.len() < FRAME_BYTES {
            self.gather(&frame, &mut ops)?;
            if self.reads.is_empty() {
                break;
            }
            self.read();
        }
        self.ops = ops;
        if !self.requests.is_empty() {
            self.connection.submit(&mut self.requests);
        }
        Ok(())
    }

    /// Takes operations until there are some reads.
    fn gather(&mut self, frame: &Frame<'_>, ops: &mut Elements) -> std::result::Result<(), DecodeError> {
        while self.reads.len() < GLANCES && self.ready.len() < FRAME_BYTES && !self.is_out_of_credit() {
            let Some(op) = ops.read_next() else { break };
            self.handle(frame, op)?;
        }
        Ok(())
    }

    /// Answers the reads gathered, as far as there is room for replies.
    fn read(&mut self) {
        self.grid.warm(self.reads.iter().map(|read| (read.map, &read.key)));
        while self.ready.len() < FRAME_BYTES {
            let Some(Read { tag, map, key, only_version }) = self.reads.pop_front() else { break };
            self.reply(tag, answer::read(self.grid.read(map, &key), only_version));
        }
    }

    fn handle(&mut self, frame: &Frame<'_>, op: Element<'_>) -> std::result::Result<(), DecodeError> {
        let bytes = op.bytes().len();
        let op = OpRef::read(op)?;
        let tag = op.tag;
        let slot = self.under_way.vacant_key();
        let operation = match frame.operation(op, slot as u64) {
            Ok(operation) => operation,
            Err(error) => {
                self.reply(tag, reply::Answer::Error(error.into()));
                return Ok(());
            }
        };
        match operation.action {
            Action::Read { key, only_version } => {
                self.reads.push_back(Read { tag, map: operation.map.map.id, key, only_version });
            }
            Action::Write(request) => {
                let bytes = bytes + self.reserve(&request);
                let is_update = matches!(request.op, Op::Update(_));
                self.under_way.insert(Write { tag, bytes, map: operation.map.clone(), is_update });
                self.bytes += bytes;
                self.requests.push(request);
            }
        }
        Ok(())
    }

    /// Room for the old value in the reply.
    fn reserve(&self, request: &Request) -> usize {
        let (Op::Put { want_old: true, .. } | Op::Remove { want_old: true, .. }) = &request.op else {
            return 0;
        };
        let old = self.grid.read(request.map, &request.key).ok().flatten();
        old.map_or(0, |record| record.value().len())
    }

    fn take_answers(&mut self) {
        let mut answered = std::mem::take(&mut self.answered);
        for Reply { tag, answer } in answered.drain(..) {
            let Some(write) = self.under_way.try_remove(tag as usize) else { continue };
            self.bytes -= write.bytes;
            self.reply(write.tag, answer::written(&write.map, answer, write.is_update));
        }
        self.answered = answered;
    }

    fn reply(&mut self, tag: u32, answer: reply::Answer) {
        self.ready.push(&v1::Reply { tag, answer: Some(answer) });
    }
}

/// Why the stream cannot be read on.
fn refused(status: Status, limits: Limits) -> Status {
    let most = limits.frame_bytes;
    match status.code() {
        Code::OutOfRange => Error::invalid(format!("a frame has more than the {most} bytes allowed"))
            .hint("send fewer operations at a time")
            .into(),
        _ => status,
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_over {
            self.grid.end_session(self.id);
        } else {
            self.grid.suspend_session(self.id);
        }
    }
}
