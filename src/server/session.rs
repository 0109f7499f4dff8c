//! A client's session: one stream of frames in, one of frames out.
//!
//! All of it runs in the task that writes the replies: it is polled only while the connection has room for a reply,
//! so a client that does not read its replies is not read either. On top of that a session has credit for so many
//! operations and bytes, from decoding to reply; past it, no frame is taken from the stream (protocol rule 12).
//!
//! Operations of partitions whose primary is at another node are passed on to it ([`super::relay`]), one hop: the SDK
//! knows where they belong, but may be unable to reach that node, or be late to learn of a move.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use prost::DecodeError;
use tokio_stream::Stream;
use tonic::{Code, Status, Streaming};

use super::{Limits, desk::Desk, operation::Frame, relay::Relays, route::Route, service::Service};
use crate::{
    node::{Grid, Primaries},
    partition::View,
    types::{Error, Key, NodeId, Result, SessionId},
    wire::{ClientFrame, Element, Elements, MAX_OUTSTANDING, OpRef, ServerFrame, v1},
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
    Ok(Session {
        id,
        limits,
        me: grid.me(),
        view: grid.view(),
        primaries: grid.primaries(),
        desk: Desk::open(grid.clone(), false),
        relays: Relays::new(grid.clone(), id),
        grid,
        frames: Some(frames),
        welcome: Some(welcome),
        acknowledged_below: 0,
        ops: Elements::default(),
        is_over: false,
        stop: Some(Box::pin(stopping.wait())),
    })
}

/// One client's session on one stream.
pub(super) struct Session {
    id: SessionId,
    limits: Limits,
    me: NodeId,
    grid: Grid,
    /// As of the last frame.
    view: Arc<View>,
    primaries: Arc<Primaries>,
    /// What this node carries out itself.
    desk: Desk,
    /// What other nodes do.
    relays: Relays,
    /// `None` once the client has sent its last frame.
    frames: Option<Streaming<ClientFrame>>,
    welcome: Option<v1::Welcome>,
    acknowledged_below: u64,
    /// What is left of the last frame.
    ops: Elements,
    /// The client has said goodbye.
    is_over: bool,
    /// Over when the server is to stop; `None` from then on.
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
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
            this.relays.depart(this.acknowledged_below);
            // Both are to wake this task.
            let answered = this.desk.poll_answers(cx).is_ready();
            let waiting = this.relays.poll_answers(cx, &mut this.desk).is_pending() && !answered;
            if this.desk.ready_bytes() > 0 {
                let replies = this.desk.take_ready(FRAME_BYTES);
                return Poll::Ready(Some(Ok(ServerFrame { welcome: None, replies })));
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
            if !this.ops.is_empty() || this.desk.has_reads() {
                continue;
            }
            let Some(frames) = &mut this.frames else {
                return if this.under_way() == 0 { Poll::Ready(None) } else { Poll::Pending };
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
        self.primaries = self.grid.primaries();
        self.acknowledged_below = self.acknowledged_below.max(frame.acknowledged_below);
        self.ops = frame.ops.elements();
        if frame.goodbye {
            self.is_over = true;
            self.frames = None;
        }
    }

    fn under_way(&self) -> usize {
        self.desk.under_way() + self.relays.under_way()
    }

    fn is_out_of_credit(&self) -> bool {
        self.under_way() >= self.limits.session_operations
            || self.desk.bytes() + self.relays.bytes() >= self.limits.session_bytes
    }

    fn has_room(&self) -> bool {
        self.desk.ready_bytes() < FRAME_BYTES
    }

    /// Handles operations of the last frame for as long as there is credit and room for replies.
    fn work(&mut self) -> std::result::Result<(), DecodeError> {
        if self.ops.is_empty() && !self.desk.has_reads() {
            return Ok(());
        }
        let (grid, view) = (self.grid.clone(), self.view.clone());
        let frame = Frame {
            grid: &grid,
            view: &view,
            session: self.id,
            acknowledged_below: self.acknowledged_below,
            now_us: grid.mono_us(),
        };
        let mut ops = std::mem::take(&mut self.ops);
        while self.has_room() {
            self.gather(&frame, &mut ops)?;
            if !self.desk.has_reads() {
                break;
            }
            self.desk.read(FRAME_BYTES);
        }
        self.ops = ops;
        self.desk.submit();
        Ok(())
    }

    /// Takes operations until there are some reads.
    fn gather(&mut self, frame: &Frame<'_>, ops: &mut Elements) -> std::result::Result<(), DecodeError> {
        while !self.desk.has_enough_reads() && self.has_room() && !self.is_out_of_credit() {
            let Some(op) = ops.read_next() else { break };
            self.handle(frame, op)?;
        }
        Ok(())
    }

    fn handle(&mut self, frame: &Frame<'_>, element: Element<'_>) -> std::result::Result<(), DecodeError> {
        let op = OpRef::read(element)?;
        let key = match Key::from_packed(op.key) {
            Ok(key) => key,
            Err(error) => {
                self.desk.refuse(op.tag, error.into());
                return Ok(());
            }
        };
        let partition = self.grid.partition_of(&key);
        match Route::to(partition, &self.primaries, self.me) {
            Route::Here => self.desk.take(frame, (partition, key), op, element.bytes().len()),
            Route::At(node) => self.relays.take(node, element, &op, frame.now_us),
            Route::Nowhere => self.desk.refuse(op.tag, Primaries::elsewhere(partition, None)),
        }
        Ok(())
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
