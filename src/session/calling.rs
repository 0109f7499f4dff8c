//! What a session is given and what it gives.

use crate::types::Error;

/// What a session may have under way, and how patient it is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Numbers that may be unanswered, over all links.
    pub outstanding: u32,
    /// Bytes of operations that go into one frame, unless a single one has more.
    pub frame_bytes: usize,
    /// The longest frame that nodes read.
    pub frame_most_bytes: usize,
    /// The shortest pause before a retry; it doubles with each attempt.
    pub retry_us: u64,
    /// The longest pause before a retry of what found no room.
    pub retry_most_us: u64,
    /// The longest pause before a retry of what found no primary. News of where the primaries are end it.
    pub astray_most_us: u64,
    /// A node that owes answers although another has taken its place, and is silent for so long, is given up.
    pub silence_us: u64,
    /// What belongs to a node whose stream has just broken waits so long before it takes a way round: most often there is
    /// news by then, of another node in its place, and whoever was asked to pass it on would wait for the lost one.
    pub missed_us: u64,
}

/// One operation on one key, as its caller gives it.
pub trait Operation {
    /// The packed key.
    fn key(&self) -> &[u8];
    /// About how long it is in a frame.
    fn bytes(&self) -> usize;
    /// Whether it is numbered.
    fn is_write(&self) -> bool;
}

/// Who waits for an answer: opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The call.
    pub call: u32,
    /// The operation's place in the call.
    pub index: u32,
}

/// What came of operations.
pub type Answers<A> = Vec<(Caller, Result<A, Error>)>;
