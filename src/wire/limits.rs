//! Bounds that both sides of a connection know.

/// The longest message, in bytes, unless configured otherwise.
pub const MAX_FRAME_BYTES: usize = 4 << 20;

/// The most request numbers of one session that may be unanswered at once (protocol rule 11).
pub const MAX_OUTSTANDING: u32 = 4096;
