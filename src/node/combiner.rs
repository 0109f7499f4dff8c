//! A mailbox that is drained by whoever finds its owner idle.
//!
//! Flat combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): a sender posts its messages, then tries to become
//! the owner. Who succeeds handles everything posted, others' messages included; who fails leaves, because the
//! present owner looks again before it lets go. So a lone request is handled on the sender's own thread, with no
//! wake-up, and under load the batch is whatever arrived while the last one was handled.

use parking_lot::Mutex;

/// What handles messages; called by one thread at a time.
pub(super) trait Owner {
    /// One message.
    type Message;

    /// Handles all of `messages`, in order, and leaves the vector empty.
    fn handle(&mut self, messages: &mut Vec<Self::Message>);
}

/// How many times one sender drains the mailbox before it asks to be relieved.
const ROUNDS: usize = 32;

/// What a sender left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Drained {
    /// Nothing, or somebody else is at it.
    Done,
    /// Messages, after [`ROUNDS`]: another task has to call [`Combiner::drain`], so that no sender works for the
    /// others for ever.
    Relieve,
}

/// A mailbox and its owner.
#[derive(Debug)]
pub(super) struct Combiner<O: Owner> {
    mailbox: Mutex<Vec<O::Message>>,
    owner: Mutex<Owned<O>>,
}

#[derive(Debug)]
struct Owned<O: Owner> {
    owner: O,
    /// Swapped with the mailbox, so that both keep their capacity.
    batch: Vec<O::Message>,
}

impl<O: Owner> Combiner<O> {
    pub(super) fn new(owner: O) -> Self {
        Combiner { mailbox: Mutex::new(Vec::new()), owner: Mutex::new(Owned { owner, batch: Vec::new() }) }
    }

    /// Posts one message and handles what is there, unless somebody is already at it.
    pub(super) fn post(&self, message: O::Message) -> Drained {
        self.mailbox.lock().push(message);
        self.drain()
    }

    /// Posts all of `messages`, leaving the vector empty, and handles what is there, unless somebody is at it.
    pub(super) fn post_all(&self, messages: &mut Vec<O::Message>) -> Drained {
        if messages.is_empty() {
            return Drained::Done;
        }
        self.mailbox.lock().append(messages);
        self.drain()
    }

    /// Handles what is there, unless somebody is already at it.
    pub(super) fn drain(&self) -> Drained {
        let mut rounds = 0;
        // Looked at again after the owner is released: a message posted in between found the owner busy.
        while !self.mailbox.lock().is_empty() {
            let Some(mut owned) = self.owner.try_lock() else { return Drained::Done };
            let Owned { owner, batch } = &mut *owned;
            loop {
                std::mem::swap(&mut *self.mailbox.lock(), batch);
                if batch.is_empty() {
                    break;
                }
                owner.handle(batch);
                rounds += 1;
                if rounds >= ROUNDS {
                    return Drained::Relieve;
                }
            }
        }
        Drained::Done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Default)]
    struct Sum {
        seen: Vec<u32>,
        done: Arc<std::sync::atomic::AtomicUsize>,
    }

    impl Owner for Sum {
        type Message = u32;

        fn handle(&mut self, messages: &mut Vec<u32>) {
            self.done.fetch_add(messages.len(), std::sync::atomic::Ordering::SeqCst);
            self.seen.append(messages);
        }
    }

    #[test]
    fn no_message_is_left_behind_and_each_sender_keeps_its_order() {
        let sum = Sum::default();
        let done = sum.done.clone();
        let combiner = Combiner::new(sum);
        std::thread::scope(|scope| {
            for sender in 0..4 {
                let combiner = &combiner;
                scope.spawn(move || {
                    for n in 0..10_000 {
                        let mut drained = combiner.post(sender * 10_000 + n);
                        while drained == Drained::Relieve {
                            drained = combiner.drain();
                        }
                    }
                });
            }
        });
        assert_eq!(done.load(std::sync::atomic::Ordering::SeqCst), 40_000);
        let seen = &combiner.owner.lock().owner.seen;
        for sender in 0..4 {
            let own: Vec<u32> = seen.iter().copied().filter(|n| n / 10_000 == sender).collect();
            assert_eq!(own, (sender * 10_000..(sender + 1) * 10_000).collect::<Vec<u32>>());
        }
    }
}
