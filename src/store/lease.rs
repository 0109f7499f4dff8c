//! The right to read: one for each tenure of a replica, that is for each (join id, epoch).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::types::{Epoch, JoinId};

/// The lease of one tenure. A reader keeps the lease it was made with, so a reader of epoch e can never pass by a
/// lease of e+2, whatever the store holds by then.
pub(super) struct Lease {
    pub(super) join: JoinId,
    pub(super) epoch: Epoch,
    until_us: AtomicU64,
}

impl Lease {
    pub(super) fn new(join: JoinId, epoch: Epoch) -> Self {
        Lease { join, epoch, until_us: AtomicU64::new(0) }
    }

    /// Zero ends it.
    pub(super) fn set(&self, until_us: u64) {
        self.until_us.store(until_us, Ordering::Release);
    }

    /// Whether there was one yet in this tenure, and none has ended it.
    pub(super) fn has_begun(&self) -> bool {
        self.until_us.load(Ordering::Acquire) > 0
    }

    pub(super) fn covers(&self, mono_us: u64) -> bool {
        mono_us < self.until_us.load(Ordering::Acquire)
    }
}
