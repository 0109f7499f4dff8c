//! Messages on a stream of bytes: each is preceded by its length, four bytes, little-endian.

use bytes::BytesMut;

/// The length in front of a message.
pub(super) const HEAD_BYTES: usize = 4;
/// Room made for each read.
const READ_BYTES: usize = 32 << 10;
/// A buffer that grew past this for one long message is given up with it.
const KEPT_BYTES: usize = 256 << 10;

/// A message is longer than its stream allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {bytes} bytes, where {max} are the most")]
pub(super) struct Oversized {
    pub(super) bytes: usize,
    pub(super) max: usize,
}

/// Appends a message to `out`: room for its length, then what `write` appends, then the length is filled in.
///
/// What was appended is taken back if `write` fails or the message is too long.
pub(super) fn append<E: From<Oversized>>(
    out: &mut Vec<u8>,
    max: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_BYTES]);
    let written = write(out).and_then(|()| head(out.len() - start - HEAD_BYTES, max).map_err(E::from));
    match written {
        Ok(head) => {
            out[start..start + HEAD_BYTES].copy_from_slice(&head);
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn head(bytes: usize, max: usize) -> Result<[u8; HEAD_BYTES], Oversized> {
    match u32::try_from(bytes) {
        Ok(length) if bytes <= max => Ok(length.to_le_bytes()),
        _ => Err(Oversized { bytes, max }),
    }
}

/// Cuts a stream into messages. Memory grows with the bytes that are there, never by what a length claims.
#[derive(Debug)]
pub(super) struct Deframer {
    buffer: BytesMut,
    max: usize,
}

impl Deframer {
    /// Refuses messages of more than `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Deframer { buffer: BytesMut::new(), max }
    }

    /// Where the next bytes of the stream are to be appended.
    pub(super) fn spare(&mut self) -> &mut BytesMut {
        self.buffer.reserve(READ_BYTES);
        &mut self.buffer
    }

    /// The next message if all of it is there. After an error the stream cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<BytesMut>, Oversized> {
        let Some(head) = self.buffer.first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let bytes = u32::from_le_bytes(*head) as usize;
        if bytes > self.max {
            return Err(Oversized { bytes, max: self.max });
        }
        if self.buffer.len() < HEAD_BYTES + bytes {
            return Ok(None);
        }
        let mut message = self.buffer.split_to(HEAD_BYTES + bytes);
        if bytes > KEPT_BYTES {
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        Ok(Some(message.split_off(HEAD_BYTES)))
    }

    /// Nothing of a further message is there.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1 << 20;

    fn message(out: &mut Vec<u8>, content: &[u8]) -> Result<(), Oversized> {
        append(out, MAX, |out| {
            out.extend_from_slice(content);
            Ok(())
        })
    }

    #[test]
    fn messages_survive_every_cut() {
        let contents: [&[u8]; 4] = [b"one", b"", b"three", &[7; 300]];
        let mut stream = Vec::new();
        contents.iter().for_each(|content| message(&mut stream, content).expect("short"));
        for step in [1, 2, 3, 5, 64, stream.len()] {
            let mut deframer = Deframer::new(MAX);
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                deframer.spare().extend_from_slice(piece);
                while let Some(message) = deframer.next().expect("short") {
                    found.push(message);
                }
            }
            assert_eq!(found, contents, "in steps of {step}");
            assert!(deframer.is_empty());
        }
    }

    #[test]
    fn a_length_claims_no_memory() {
        let mut deframer = Deframer::new(usize::MAX);
        deframer.spare().extend_from_slice(&[0xff, 0xff, 0xff, 0x7f, 1, 2, 3]);
        assert_eq!(deframer.next(), Ok(None));
        assert!(deframer.buffer.capacity() <= 2 * READ_BYTES);
    }

    #[test]
    fn a_long_message_takes_its_buffer_along() {
        let mut stream = Vec::new();
        message(&mut stream, &[1; MAX]).expect("fits");
        message(&mut stream, b"next").expect("fits");
        let mut deframer = Deframer::new(MAX);
        deframer.spare().extend_from_slice(&stream);
        assert_eq!(deframer.next().expect("fits").expect("whole").len(), MAX);
        assert!(deframer.buffer.capacity() <= READ_BYTES);
        assert_eq!(deframer.next().expect("fits").expect("whole"), b"next"[..]);
    }

    #[test]
    fn what_is_too_long_is_neither_written_nor_read() {
        let mut out = vec![9];
        assert_eq!(message(&mut out, &[0; MAX + 1]), Err(Oversized { bytes: MAX + 1, max: MAX }));
        assert_eq!(out, [9]);
        let mut deframer = Deframer::new(3);
        deframer.spare().extend_from_slice(&[4, 0, 0, 0]);
        assert_eq!(deframer.next(), Err(Oversized { bytes: 4, max: 3 }));
    }
}
