//! Room: how much is between admission and reply.

use super::{Limits, Op, Request};
use crate::types::Error;

/// What is under way, and how much of it there may be.
#[derive(Debug)]
pub(super) struct Admission {
    ops: usize,
    bytes: usize,
    max_ops: usize,
    max_bytes: usize,
}

/// What one operation takes until its reply has been given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    bytes: usize,
}

impl Room {
    /// A request's bytes, and as many for its reply.
    pub(super) fn of(request: &Request) -> Room {
        const FIXED: usize = 512;
        let value = match &request.op {
            Op::Put { value, .. } => value.len(),
            Op::Update(update) => update.text().len(),
            Op::Remove { .. } | Op::SetTtl { .. } => 0,
        };
        Room { bytes: FIXED + request.key.packed().len() + 2 * value }
    }
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        Admission { ops: 0, bytes: 0, max_ops: limits.ops, max_bytes: limits.op_bytes }
    }

    /// Refuses what there is no room for. An operation larger than all the room is let in alone.
    pub(super) fn check(&self, room: Room) -> Result<(), Error> {
        let fits = self.ops < self.max_ops && self.bytes.saturating_add(room.bytes) <= self.max_bytes;
        if fits || self.ops == 0 {
            return Ok(());
        }
        Err(Error::overloaded(format!(
            "the partition has {} operations of {} bytes under way",
            self.ops, self.bytes
        ))
        .hint("retry after a pause"))
    }

    pub(super) fn enter(&mut self, room: Room) {
        self.ops += 1;
        self.bytes += room.bytes;
    }

    pub(super) fn leave(&mut self, room: Room) {
        self.ops -= 1;
        self.bytes -= room.bytes;
    }

    /// How many operations are under way.
    pub(super) fn ops(&self) -> usize {
        self.ops
    }
}
