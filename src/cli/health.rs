//! `embergrid health`

use std::{io, time::Duration};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{context::Context, failure::Result};
use crate::types::{self, Error};

/// An orchestrator asks often, and soon asks again.
const PATIENCE: Duration = Duration::from_secs(4);
/// The answers are a few words.
const MOST_BYTES: u64 = 64 << 10;

/// Ask a node how it is, as container engines and scripts do: exit code 0 says yes.
///
/// Asks the first address alone, over HTTP: a node that is up but not ready serves little else.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid health safe-to-stop")]
pub(super) struct Health {
    /// What to ask.
    #[arg(value_enum, default_value_t = Question::Ready)]
    question: Question,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Question {
    /// Does the process answer?
    Live,
    /// Can rows be read and written?
    Ready,
    /// Would no row be lost if it stopped?
    SafeToStop,
}

impl Health {
    pub(super) async fn run(self, context: &Context) -> Result {
        let address = context.first_address();
        let words = timeout(PATIENCE, exchange(address, self.question.path()))
            .await
            .map_err(|_| Error::deadline(format!("{address} did not answer in {} s", PATIENCE.as_secs())))?
            .map_err(|error| Error::unavailable(format!("cannot reach {address}: {error}")))?;
        let answer = read(&words)
            .ok_or_else(|| Error::invalid(format!("what answers at {address} is not an Embergrid node")))?;
        self.question.judge(&answer)?;
        Ok(context.output.answer(&answer, self.question.name())?)
    }
}

impl Question {
    fn name(self) -> &'static str {
        match self {
            Question::Live => "live",
            Question::Ready => "ready",
            Question::SafeToStop => "safe to stop",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Question::Live => "/health/live",
            Question::Ready => "/health/ready",
            Question::SafeToStop => "/health/safe-to-stop",
        }
    }

    /// A no is a failure. That stopping is not safe is the answer of a node that is well: another exit code.
    fn judge(self, answer: &Value) -> types::Result<()> {
        if answer[self.name().replace(' ', "_")] == json!(true) {
            return Ok(());
        }
        let reason = answer["reason"].as_str().unwrap_or("it does not say why");
        let message = format!("not {}: {reason}", self.name());
        Err(match self {
            Question::Live | Question::Ready => Error::unavailable(message),
            Question::SafeToStop => Error::conflict(message),
        })
    }
}

/// One request on a connection of its own; gives all that was answered.
async fn exchange(address: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The object that a node answers with, if it is one: the status line says nothing beyond it.
fn read(words: &str) -> Option<Value> {
    let (head, body) = words.split_once("\r\n\r\n")?;
    let object = serde_json::from_str::<Value>(body).ok()?;
    (head.starts_with("HTTP/1.1 ") && object.is_object()).then_some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Class;

    #[test]
    fn a_node_says_yes_or_why_not() {
        let no = read(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 39\r\n\r\n{\"ready\":false,\"reason\":\"it starts\"}",
        );
        let error = Question::Ready.judge(&no.unwrap()).unwrap_err();
        assert_eq!((error.class, error.message.as_ref()), (Class::Unavailable, "not ready: it starts"));
        let error = Question::SafeToStop.judge(&json!({ "safe_to_stop": false })).unwrap_err();
        assert_eq!(
            (error.class, error.message.as_ref()),
            (Class::Conflict, "not safe to stop: it does not say why")
        );
        assert!(Question::SafeToStop.judge(&json!({ "safe_to_stop": true })).is_ok());
        assert!(Question::Live.judge(&json!({ "ready": true })).is_err());
    }

    #[test]
    fn what_is_no_node_is_told_apart() {
        for words in
            ["", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n[]", "x\r\n\r\n{}"]
        {
            assert_eq!(read(words), None, "{words}");
        }
    }
}
