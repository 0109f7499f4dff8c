//! One connection: the session stream that all callers share, and the task that keeps it open.
//!
//! A caller puts its operations into the session and wakes the stream's writer; the writer is polled by the
//! connection whenever there is room and puts all that has gathered into one frame. So a frame holds what arrived
//! while the previous one was being written: no timer, and batches grow with the load.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::Stream;
use tonic::Streaming;

use super::{
    Options,
    calls::{Answers, Calls},
    channel,
    draft::Draft,
    session::{Answer, Caller, Limits, Session},
};
use crate::{
    types::{Error, Result},
    wire::{ClientFrame, MAX_FRAME_BYTES, ServerFrame},
};

/// How often deadlines and retries are looked at.
const TICK: Duration = Duration::from_millis(10);
/// The longest pause before another attempt to connect.
const RECONNECT_MOST: Duration = Duration::from_secs(1);

/// The operations of one call.
pub(super) type Drafts = SmallVec<[Draft; 1]>;

/// A session and its stream. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    timeout: Duration,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    started: Instant,
}

#[derive(Debug)]
struct State {
    session: Session,
    calls: Calls,
    /// Wakes the writer of the present stream, if it waits for something to send.
    writer: Option<Waker>,
    /// Counts streams, so that the writer of a broken one sends nothing more.
    stream: u64,
    closed: bool,
}

impl Connection {
    /// Connects and opens a session.
    pub(super) async fn open(options: Arc<Options>) -> Result<Self> {
        let micros = |duration: Duration| duration.as_micros() as u64;
        let limits = Limits {
            outstanding: options.outstanding.max(1),
            frame_bytes: options.frame_bytes,
            frame_most_bytes: MAX_FRAME_BYTES,
            retry_us: micros(options.retry.shortest),
            retry_most_us: micros(options.retry.longest),
        };
        let state = State {
            session: Session::new(limits),
            calls: Calls::default(),
            writer: None,
            stream: 0,
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), started: Instant::now() });
        let timeout = options.timeout;
        let replies = establish(&shared, &options).await?;
        tokio::spawn(run(shared.clone(), options, replies));
        Ok(Connection { shared, timeout })
    }

    /// Sends the operations and waits for all their answers.
    pub(super) fn call(&self, drafts: Drafts) -> CallFuture<'_> {
        CallFuture { shared: &self.shared, timeout: self.timeout, stage: Stage::New(drafts) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

impl Shared {
    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Hands answers to their callers, and wakes them and, if there is something to send again, the writer.
    fn settle(
        &self,
        mut state: parking_lot::MutexGuard<'_, State>,
        answers: &mut Vec<(Caller, Answer)>,
        wakers: &mut Vec<Waker>,
    ) {
        for (caller, answer) in answers.drain(..) {
            wakers.extend(state.calls.answer(caller, answer));
        }
        if state.session.wants_to_send() {
            wakers.extend(state.writer.take());
        }
        drop(state);
        wakers.drain(..).for_each(Waker::wake);
    }
}

/// Waits for the answers to a call.
#[derive(Debug)]
#[must_use = "nothing is sent before the call is awaited"]
pub(super) struct CallFuture<'a> {
    shared: &'a Shared,
    timeout: Duration,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New(Drafts),
    Waiting(u32),
    Over,
}

impl CallFuture<'_> {
    fn begin(&mut self, drafts: Drafts, cx: &mut Context<'_>) {
        let deadline_us = self.shared.now_us().saturating_add(self.timeout.as_micros() as u64);
        let mut state = self.shared.state.lock();
        let state_mut = &mut *state;
        let call = state_mut.calls.open(drafts.len(), cx.waker());
        self.stage = Stage::Waiting(call);
        for (index, draft) in drafts.into_iter().enumerate() {
            let caller = Caller { call, index: index as u32 };
            if let Err(refusal) = state_mut.session.submit(draft, caller, deadline_us) {
                // The call is polled again at once, so that its waker is not needed.
                let _ = state_mut.calls.answer(caller, Err(refusal));
            }
        }
        let writer = state_mut.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

impl Future for CallFuture<'_> {
    type Output = Answers;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answers> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::New(drafts) if drafts.is_empty() => Poll::Ready(Answers::new()),
            Stage::New(drafts) => {
                self.begin(drafts, cx);
                self.poll(cx)
            }
            Stage::Waiting(call) => {
                let polled = self.shared.state.lock().calls.poll(call, cx);
                if polled.is_pending() {
                    self.stage = Stage::Waiting(call);
                }
                polled
            }
            Stage::Over => Poll::Pending,
        }
    }
}

impl Drop for CallFuture<'_> {
    fn drop(&mut self) {
        if let Stage::Waiting(call) = self.stage {
            self.shared.state.lock().calls.leave(call);
        }
    }
}

/// The frames of one stream.
struct Writer {
    shared: Arc<Shared>,
    stream: u64,
    hello: Option<ClientFrame>,
}

impl Stream for Writer {
    type Item = ClientFrame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClientFrame>> {
        if let Some(hello) = self.hello.take() {
            return Poll::Ready(Some(hello));
        }
        let this = &mut *self;
        let mut state = this.shared.state.lock();
        if state.stream != this.stream {
            return Poll::Ready(None);
        }
        if let Some(frame) = state.session.frame() {
            return Poll::Ready(Some(frame));
        }
        if state.closed {
            state.stream += 1;
            return Poll::Ready(Some(ClientFrame { goodbye: true, ..Default::default() }));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Opens a stream and waits until the node has answered `hello`.
async fn establish(shared: &Arc<Shared>, options: &Options) -> Result<Streaming<ServerFrame>> {
    let channel = channel::connect(options).await?;
    let writer = {
        let mut state = shared.state.lock();
        state.stream += 1;
        Writer { shared: shared.clone(), stream: state.stream, hello: Some(state.session.hello()) }
    };
    let opening = async {
        let mut replies = channel::grid(channel).session(writer).await?.into_inner();
        let first = replies.message().await?;
        Ok::<_, tonic::Status>((first, replies))
    };
    let (first, replies) = tokio::time::timeout(options.connect_timeout, opening)
        .await
        .map_err(|_| Error::unavailable("the node accepts connections but opens no session"))??;
    let welcome = first.and_then(|frame| frame.welcome).ok_or_else(|| {
        Error::unavailable("the node closed the session at once").hint("is it of the same version?")
    })?;
    let mut answers = Vec::new();
    let mut state = shared.state.lock();
    state.session.handle_welcome(&welcome, &mut answers);
    shared.settle(state, &mut answers, &mut Vec::new());
    Ok(replies)
}

/// Keeps a stream open for as long as the connection is wanted.
async fn run(shared: Arc<Shared>, options: Arc<Options>, replies: Streaming<ServerFrame>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut replies = Some(replies);
    loop {
        if let Some(replies) = replies.take() {
            let outage = read(&shared, replies, &mut tick).await;
            shared.state.lock().session.handle_disconnect(outage);
        }
        let mut pause = TICK;
        while replies.is_none() {
            if shared.state.lock().closed {
                return;
            }
            match ticking(&shared, &mut tick, establish(&shared, &options)).await {
                Ok(opened) => replies = Some(opened),
                Err(outage) => {
                    shared.state.lock().session.handle_disconnect(outage);
                    ticking(&shared, &mut tick, tokio::time::sleep(pause)).await;
                    pause = RECONNECT_MOST.min(pause * 2);
                }
            }
        }
    }
}

/// Reads replies until the stream breaks; says why.
async fn read(
    shared: &Shared,
    mut replies: Streaming<ServerFrame>,
    tick: &mut tokio::time::Interval,
) -> Error {
    let mut answers = Vec::new();
    let mut wakers = Vec::new();
    loop {
        tokio::select! {
            biased;
            frame = replies.message() => {
                let frame = match frame {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Error::unavailable("the node closed the session"),
                    Err(status) => return status.into(),
                };
                let now_us = shared.now_us();
                let mut state = shared.state.lock();
                let mut replies = frame.replies.elements();
                while let Some(reply) = replies.read_next() {
                    match reply.decode() {
                        Ok(reply) => state.session.handle_reply(reply, now_us, &mut answers),
                        Err(error) => return Error::internal(format!("a reply is malformed: {error}")),
                    }
                }
                shared.settle(state, &mut answers, &mut wakers);
            }
            _ = tick.tick() => handle_tick(shared, &mut answers, &mut wakers),
        }
    }
}

/// Minds deadlines while something else is waited for.
async fn ticking<T>(
    shared: &Shared,
    tick: &mut tokio::time::Interval,
    waiting: impl Future<Output = T>,
) -> T {
    let mut waiting = std::pin::pin!(waiting);
    loop {
        tokio::select! {
            biased;
            output = &mut waiting => return output,
            _ = tick.tick() => handle_tick(shared, &mut Vec::new(), &mut Vec::new()),
        }
    }
}

fn handle_tick(shared: &Shared, answers: &mut Vec<(Caller, Answer)>, wakers: &mut Vec<Waker>) {
    let now_us = shared.now_us();
    let mut state = shared.state.lock();
    state.session.handle_tick(now_us, answers);
    shared.settle(state, answers, wakers);
}
