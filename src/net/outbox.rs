//! One-way messages that wait to be written to one peer.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    task::Waker,
};

use parking_lot::Mutex;

/// A buffer that grew past this is given up once it is empty.
const KEPT_BYTES: usize = 1 << 20;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It will be written, unless the connection is lost first.
    Queued,
    /// No room.
    Full,
    /// Nobody is connected.
    Closed,
}

/// Framed messages waiting for one peer on one lane; any thread adds, never waiting, and one task writes.
///
/// Messages of one key stay in their order: they share a queue, and each queue is written to one stream. The bound
/// counts what waits here and what was taken but not written yet.
#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    bytes: AtomicUsize,
    is_open: AtomicBool,
    queues: Box<[Mutex<Queue>]>,
    writer: Mutex<Option<Waker>>,
}

/// Messages one behind the other, as they will be written.
#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    messages: u64,
}

impl Outbox {
    /// A closed outbox.
    pub(super) fn new(queues: usize, limit: usize) -> Self {
        Outbox {
            limit,
            bytes: AtomicUsize::new(0),
            is_open: AtomicBool::new(false),
            queues: (0..queues).map(|_| Mutex::default()).collect(),
            writer: Mutex::default(),
        }
    }

    /// Lets messages in.
    pub(super) fn open(&self) {
        self.is_open.store(true, SeqCst);
    }

    /// Lets no more messages in and drops those that wait; says how many. Nobody writes any more.
    pub(super) fn close(&self) -> u64 {
        self.is_open.store(false, SeqCst);
        self.writer.lock().take();
        // Whoever saw the outbox open has finished once the lock of its queue is had.
        let dropped = self.queues.iter().map(|queue| std::mem::take(&mut *queue.lock()).messages).sum();
        self.bytes.store(0, SeqCst);
        dropped
    }

    /// Adds a framed message to the queue of its key.
    pub(super) fn push(&self, key: usize, message: &[u8]) -> Pushed {
        let mut queue = self.queues[key % self.queues.len()].lock();
        if !self.is_open.load(SeqCst) {
            return Pushed::Closed;
        }
        if self.bytes.fetch_add(message.len(), SeqCst) + message.len() > self.limit {
            self.bytes.fetch_sub(message.len(), SeqCst);
            return Pushed::Full;
        }
        queue.bytes.extend_from_slice(message);
        queue.messages += 1;
        drop(queue);
        if let Some(writer) = self.writer.lock().take() {
            writer.wake();
        }
        Pushed::Queued
    }

    /// Whom to wake at the next message; to be called before the queues are looked at.
    pub(super) fn register(&self, writer: &Waker) {
        let mut present = self.writer.lock();
        match &mut *present {
            Some(present) => present.clone_from(writer),
            none => *none = Some(writer.clone()),
        }
    }

    /// Takes all that waits in one queue into `into`, which is empty; says how many messages that is.
    pub(super) fn take(&self, queue: usize, into: &mut Vec<u8>) -> u64 {
        debug_assert!(into.is_empty());
        if into.capacity() > KEPT_BYTES {
            *into = Vec::new();
        }
        let mut queue = self.queues[queue].lock();
        std::mem::swap(&mut queue.bytes, into);
        std::mem::take(&mut queue.messages)
    }

    /// Makes room: `bytes` that were taken have been written.
    pub(super) fn written(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, SeqCst);
    }

    /// How many queues there are.
    pub(super) fn queues(&self) -> usize {
        self.queues.len()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicU64},
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU64);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    fn open(queues: usize, limit: usize) -> Outbox {
        let outbox = Outbox::new(queues, limit);
        outbox.open();
        outbox
    }

    fn taken(outbox: &Outbox, queue: usize) -> (Vec<u8>, u64) {
        let mut bytes = Vec::new();
        let messages = outbox.take(queue, &mut bytes);
        (bytes, messages)
    }

    #[test]
    fn one_key_is_one_queue_in_order() {
        let outbox = open(2, 100);
        for (key, message) in [(0, b"a0"), (1, b"b0"), (2, b"a1"), (1, b"b1")] {
            assert_eq!(outbox.push(key, message), Pushed::Queued);
        }
        assert_eq!(taken(&outbox, 0), (b"a0a1".to_vec(), 2));
        assert_eq!(taken(&outbox, 1), (b"b0b1".to_vec(), 2));
        assert_eq!(taken(&outbox, 1), (Vec::new(), 0));
    }

    #[test]
    fn the_bound_holds_until_what_was_taken_is_written() {
        let outbox = open(2, 5);
        assert_eq!(outbox.push(0, b"123"), Pushed::Queued);
        assert_eq!(outbox.push(1, b"123"), Pushed::Full);
        assert_eq!(outbox.push(1, b"12"), Pushed::Queued);
        let (bytes, _) = taken(&outbox, 0);
        assert_eq!(outbox.push(0, b"1"), Pushed::Full);
        outbox.written(bytes.len());
        assert_eq!(outbox.push(0, b"123"), Pushed::Queued);
        assert_eq!(outbox.push(0, b"1"), Pushed::Full);
    }

    #[test]
    fn nothing_waits_for_a_peer_that_is_gone() {
        let outbox = Outbox::new(1, 3);
        assert_eq!(outbox.push(0, b"1"), Pushed::Closed);
        outbox.open();
        assert_eq!(outbox.push(0, b"1"), Pushed::Queued);
        assert_eq!(taken(&outbox, 0).1, 1);
        assert_eq!(outbox.push(0, b"2"), Pushed::Queued);
        assert_eq!(outbox.close(), 1);
        assert_eq!(outbox.push(0, b"1"), Pushed::Closed);
        outbox.open();
        assert_eq!(taken(&outbox, 0), (Vec::new(), 0));
        assert_eq!(outbox.push(0, b"123"), Pushed::Queued);
    }

    #[test]
    fn the_writer_is_woken_once() {
        let outbox = open(1, 100);
        let count = Arc::new(Count::default());
        outbox.register(&Arc::clone(&count).into());
        outbox.push(0, b"1");
        outbox.push(0, b"2");
        assert_eq!(count.0.load(SeqCst), 1);
        outbox.register(&Arc::clone(&count).into());
        outbox.push(0, b"3");
        assert_eq!(count.0.load(SeqCst), 2);
    }
}
