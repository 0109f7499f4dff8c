//! Packets that are kept back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::clock::now;

/// A packet on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packet {
    due: Instant,
    /// Of two that are due at once, the one that came first goes first.
    number: u64,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) bytes: Vec<u8>,
}

/// All that are kept back.
#[derive(Default)]
pub(super) struct Later {
    queue: Mutex<(u64, BinaryHeap<Reverse<Packet>>)>,
    changed: Condvar,
}

impl Later {
    /// The packet goes on at that time.
    pub(super) fn keep(&self, due: Instant, from: usize, to: usize, bytes: &[u8]) {
        let (count, queue) = &mut *self.queue.lock();
        *count += 1;
        queue.push(Reverse(Packet { due, number: *count, from, to, bytes: bytes.to_vec() }));
        self.changed.notify_one();
    }

    /// Waits for the next one that is due.
    pub(super) fn next(&self) -> Packet {
        let mut kept = self.queue.lock();
        loop {
            let due = kept.1.peek().map(|Reverse(packet)| packet.due);
            match due {
                None => self.changed.wait(&mut kept),
                Some(due) if due > now() => drop(self.changed.wait_until(&mut kept, due)),
                Some(_) => {
                    if let Some(Reverse(packet)) = kept.1.pop() {
                        return packet;
                    }
                }
            }
        }
    }
}
