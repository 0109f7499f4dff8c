//! Writing what waits in an outbox.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use quinn::{Connection, SendStream, WriteError};

use super::{
    lane::Lane,
    outbox::Outbox,
    refusal::{Reason, Refusal},
};
use crate::telemetry::LaneMetrics;

/// Beacons go before answers.
const FIRST: i32 = 1;

/// One queue's stream, and what was taken from the queue and not written yet.
struct Writing {
    stream: SendStream,
    taken: Vec<u8>,
    written: usize,
}

/// Opens the lane's streams and writes all that is put into the outbox, each time as much as is there; ends with the
/// connection.
///
/// One task writes all streams, so that what a worker sends in one tick wakes nobody more than once; a stream that the
/// peer does not read holds up no other.
pub(super) async fn write_outbox(
    connection: &Connection,
    lane: Lane,
    outbox: &Outbox,
    metrics: &LaneMetrics,
) -> Refusal {
    let mut streams = Vec::new();
    for _ in 0..outbox.queues() {
        match connection.open_uni().await {
            Ok(stream) => streams.push(Writing { stream, taken: Vec::new(), written: 0 }),
            Err(error) => return error.into(),
        }
    }
    if lane == Lane::Control {
        // Fails on closed streams only, which the first write will find out.
        streams.iter().for_each(|writing| drop(writing.stream.set_priority(FIRST)));
    }
    let _closing = Closing { outbox, metrics };
    outbox.open();
    let error = poll_fn(|cx| {
        outbox.register(cx.waker());
        for (queue, writing) in streams.iter_mut().enumerate() {
            if let Poll::Ready(error) = writing.poll(cx, queue, outbox, metrics) {
                return Poll::Ready(error);
            }
        }
        Poll::Pending
    })
    .await;
    match connection.close_reason() {
        Some(reason) => reason.into(),
        None => Refusal::new(Reason::Lost, error.to_string()),
    }
}

/// Whatever ends the writing, the outbox is closed behind it.
struct Closing<'a> {
    outbox: &'a Outbox,
    metrics: &'a LaneMetrics,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.metrics.dropped.add(self.outbox.close());
    }
}

impl Writing {
    /// Writes until the queue is empty or the stream is full; ready only with an error.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        queue: usize,
        outbox: &Outbox,
        metrics: &LaneMetrics,
    ) -> Poll<WriteError> {
        loop {
            if self.written == self.taken.len() {
                outbox.written(self.written);
                self.written = 0;
                self.taken.clear();
                let messages = outbox.take(queue, &mut self.taken);
                if messages == 0 {
                    return Poll::Pending;
                }
                metrics.messages_sent.add(messages);
                metrics.bytes_sent.add(self.taken.len() as u64);
            }
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.taken[self.written..])) {
                Ok(bytes) => self.written += bytes,
                Err(error) => return Poll::Ready(error),
            }
        }
    }
}
