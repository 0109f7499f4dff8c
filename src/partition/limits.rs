//! What one partition may hold.

/// Bounds of one partition. Every one of them is reached before memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations between admission and reply.
    pub ops: usize,
    /// Their bytes.
    pub op_bytes: usize,
    /// Sessions whose answers are kept.
    pub sessions: usize,
    /// Answers kept for one session and requests of it in flight.
    pub session_answers: usize,
    /// Their bytes.
    pub session_bytes: usize,
    /// Committed entries kept for subscriptions that resume.
    pub log_entries: usize,
    /// Their bytes.
    pub log_bytes: usize,
    /// Bytes of committed entries that may be kept, beyond the two limits above, while a learner has yet to get them. A
    /// learner that is further behind is given up. The supervisor lets a node fill a few partitions at one time, which
    /// bounds what the node keeps in all.
    pub held_bytes: usize,
    /// Rows being scored after the fact at one time.
    pub rescoring: usize,
    /// Replicas that must have an entry before it is committed, the primary included.
    pub min_in_sync: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            ops: 16_384,
            op_bytes: 64 << 20,
            sessions: 65_536,
            session_answers: 4_096,
            session_bytes: 8 << 20,
            log_entries: 4_096,
            log_bytes: 1 << 20,
            held_bytes: 32 << 20,
            rescoring: 64,
            min_in_sync: 1,
        }
    }
}
