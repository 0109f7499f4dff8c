//! Where answers go: one outbox a connection, and the table of single calls.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;

use crate::{
    partition::{Origin, Outcome},
    types::Result,
};

/// The answer to one operation.
#[derive(Debug)]
pub struct Reply {
    /// The number the caller gave the operation.
    pub tag: u64,
    /// What became of it.
    pub answer: Result<Outcome>,
}

/// The connection of all single calls.
const CALLS: u32 = 0;

/// Answers of one connection, waiting to be taken by one task.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    replies: Vec<Reply>,
    taker: Option<Waker>,
}

impl Outbox {
    fn deliver(&self, replies: &mut Vec<Reply>) {
        let mut waiting = self.0.lock();
        waiting.replies.append(replies);
        let taker = waiting.taker.take();
        drop(waiting);
        if let Some(taker) = taker {
            taker.wake();
        }
    }

    /// Takes all answers that are there, or waits for the first.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, replies: &mut Vec<Reply>) -> Poll<()> {
        let mut waiting = self.0.lock();
        if waiting.replies.is_empty() {
            match &mut waiting.taker {
                Some(taker) => taker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        replies.append(&mut waiting.replies);
        Poll::Ready(())
    }
}

/// Every connection and every single call that waits for answers.
#[derive(Debug, Default)]
pub(super) struct Connections {
    outboxes: RwLock<HashMap<u32, Arc<Outbox>>>,
    next: AtomicU32,
    calls: Mutex<HashMap<u64, oneshot::Sender<Result<Outcome>>>>,
    next_call: AtomicU64,
}

impl Connections {
    /// Opens a connection: its number and where its answers arrive.
    pub(super) fn open(&self) -> (u32, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::default());
        let mut outboxes = self.outboxes.write();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number != CALLS && !outboxes.contains_key(&number) {
                outboxes.insert(number, outbox.clone());
                return (number, outbox);
            }
        }
    }

    /// Forgets a connection; answers still on their way to it are dropped.
    pub(super) fn close(&self, number: u32) {
        self.outboxes.write().remove(&number);
    }

    /// Registers a single call.
    pub(super) fn call(&self) -> (Origin, oneshot::Receiver<Result<Outcome>>) {
        let tag = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.calls.lock().insert(tag, sender);
        (Origin { connection: CALLS, tag }, receiver)
    }

    /// Forgets a single call whose caller went away.
    pub(super) fn hang_up(&self, origin: Origin) {
        self.calls.lock().remove(&origin.tag);
    }

    fn answer_call(&self, tag: u64, answer: Result<Outcome>) {
        if let Some(caller) = self.calls.lock().remove(&tag) {
            // The caller may have gone away meanwhile.
            let _ = caller.send(answer);
        }
    }

    fn deliver(&self, connection: u32, replies: &mut Vec<Reply>) {
        match self.outboxes.read().get(&connection) {
            Some(outbox) => outbox.deliver(replies),
            None => replies.clear(),
        }
    }
}

/// One tick's answers, gathered so that a connection's outbox is locked and woken once for a run of them.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    connection: u32,
    run: Vec<Reply>,
}

impl Deliveries {
    /// Adds an answer.
    pub(super) fn push(&mut self, connections: &Connections, origin: Origin, answer: Result<Outcome>) {
        if origin.connection == CALLS {
            return connections.answer_call(origin.tag, answer);
        }
        if origin.connection != self.connection {
            self.flush(connections);
            self.connection = origin.connection;
        }
        self.run.push(Reply { tag: origin.tag, answer });
    }

    /// Sends what was gathered.
    pub(super) fn flush(&mut self, connections: &Connections) {
        if !self.run.is_empty() {
            connections.deliver(self.connection, &mut self.run);
        }
    }
}
