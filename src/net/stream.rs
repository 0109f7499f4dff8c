//! Messages on one stream of a connection.

use bytes::{Bytes, BytesMut};
use quinn::{RecvStream, SendStream};
use tokio::io::AsyncReadExt;

use super::{
    framing::{self, Deframer, Oversized},
    hello::{self, Hello},
    refusal::{Reason, Refusal},
};

impl From<Oversized> for Refusal {
    fn from(fault: Oversized) -> Self {
        Refusal::protocol(fault)
    }
}

/// Reads messages from a stream. Whoever waits for one may stop waiting: nothing is lost.
pub(super) struct Messages {
    stream: RecvStream,
    deframer: Deframer,
}

impl Messages {
    /// Refuses messages of more than `max` bytes.
    pub(super) fn new(stream: RecvStream, max: usize) -> Self {
        Messages { stream, deframer: Deframer::new(max) }
    }

    /// The next message; none at the end of the stream.
    pub(super) async fn next(&mut self) -> Result<Option<BytesMut>, Refusal> {
        loop {
            if let Some(message) = self.deframer.next()? {
                return Ok(Some(message));
            }
            let read = self.stream.read_buf(self.deframer.spare()).await;
            match read.map_err(|error| Refusal::new(Reason::Lost, error.to_string()))? {
                0 if self.deframer.is_empty() => return Ok(None),
                0 => return Err(Refusal::protocol("a stream ends within a message")),
                _ => {}
            }
        }
    }

    /// The next message, which must come.
    pub(super) async fn expect(&mut self) -> Result<BytesMut, Refusal> {
        self.next().await?.ok_or_else(|| Refusal::protocol("a stream ends before its message"))
    }
}

/// Writes framed messages whole. To be run to its end: a part of a message cannot be taken back.
pub(super) async fn write(stream: &mut SendStream, framed: Vec<u8>) -> Result<(), Refusal> {
    let written = stream.write_chunk(Bytes::from(framed)).await;
    written.map_err(|error| Refusal::new(Reason::Lost, error.to_string()))
}

/// The stream on which both sides say what they are, for as long as the connection lives.
pub(super) struct Introduction {
    pub(super) send: SendStream,
    pub(super) messages: Messages,
}

impl Introduction {
    pub(super) fn new((send, receive): (SendStream, RecvStream)) -> Self {
        Introduction { send, messages: Messages::new(receive, hello::MAX_BYTES) }
    }

    /// Says hello.
    pub(super) async fn say(&mut self, hello: &Hello) -> Result<(), Refusal> {
        let mut framed = Vec::new();
        framing::append(&mut framed, hello::MAX_BYTES, |out| hello.encode_into(out))?;
        write(&mut self.send, framed).await
    }

    /// Waits for the other side's next hello.
    pub(super) async fn hear(&mut self) -> Result<Hello, Refusal> {
        Hello::decode(&self.messages.expect().await?)
    }
}
