//! A hash of all that happens: every event with its time, every message with what it says, every effect of a node, every
//! decision of the control group, every answer. Two runs of one seed come to the same, or chance has come in from
//! somewhere else.

mod content;
mod effects;
mod events;

use std::fmt::{Debug, Write};
use std::hash::{Hash, Hasher};

/// What has happened so far.
#[derive(Default)]
pub(crate) struct Trace(u64);

impl Trace {
    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    pub(crate) fn add(&mut self, what: impl Hash) {
        what.hash(self);
    }

    /// For what is rare, and says itself best.
    pub(crate) fn add_text(&mut self, what: impl Debug) {
        let said = write!(self, "{what:?}");
        debug_assert!(said.is_ok(), "a hash takes every text");
    }

    /// Which of its kinds it is.
    fn add_kind<T>(&mut self, what: &T) {
        std::mem::discriminant(what).hash(self);
    }
}

impl Hasher for Trace {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        Hasher::write(self, text.as_bytes());
        Ok(())
    }
}
