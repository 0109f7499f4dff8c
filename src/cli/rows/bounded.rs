//! A source that gives up on a line without end before it fills the memory.

use std::io::{self, Read};

/// The longest line, in bytes; a packed row has at most 1 MiB.
const LONGEST_LINE: usize = 8 << 20;

/// Reads no further than the longest line past the last [`renew`](Self::renew).
#[derive(Debug)]
pub(in crate::cli) struct Bounded<R> {
    source: R,
    left: usize,
}

impl<R> Bounded<R> {
    pub(in crate::cli) fn new(source: R) -> Self {
        Bounded { source, left: LONGEST_LINE }
    }

    /// A line is complete: the next may be as long again.
    pub(in crate::cli) fn renew(&mut self) {
        self.left = LONGEST_LINE;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let message = format!("a line has more than {LONGEST_LINE} bytes (is a quote left open?)");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let most = into.len().min(self.left);
        let read = self.source.read(into.get_mut(..most).unwrap_or_default())?;
        self.left -= read;
        Ok(read)
    }
}
