//! What one client may take up.

use crate::wire::MAX_FRAME_BYTES;

/// What one client may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest message, and the longest body of an HTTP request.
    pub frame_bytes: usize,
    /// Operations of one session, from decoding to reply.
    pub session_operations: usize,
    /// Their bytes.
    pub session_bytes: usize,
    /// The files of one model.
    pub model_bytes: usize,
    /// Calls of one connection at a time.
    pub calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            frame_bytes: MAX_FRAME_BYTES,
            session_operations: 16_384,
            session_bytes: 16 << 20,
            model_bytes: 512 << 20,
            calls: 256,
        }
    }
}
