//! Why a connection ended or was not made.

use std::fmt;

use quinn::{ConnectionError, TransportErrorCode, VarInt};

/// The alert of TLS that a certificate is signed by nobody that is known: its authority comes from another secret.
const UNKNOWN_AUTHORITY: u8 = 48;
/// The longest text of a peer that is shown, in characters.
const SHOWN_CHARS: usize = 200;

/// The kind of end. The number of those that a node sends travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// The node is stopping.
    Stopping = 0,
    /// The same node has connected anew. Who still listens to hear it is another process with its id.
    Superseded = 1,
    /// What was to be learned has been learned.
    Done = 2,
    /// The peer is no member any more.
    Unlisted = 3,
    /// The two speak different versions of this protocol.
    Version = 4,
    /// The two belong to different clusters.
    Cluster = 5,
    /// The certificate names another node.
    Identity = 6,
    /// A node has met its own id.
    Itself = 7,
    /// What was sent cannot be read.
    Protocol = 8,
    /// Another node was expected at the address.
    Unexpected = 9,
    /// The two have different secrets.
    Secret,
    /// Too many strangers at once.
    Busy,
    /// No peer, to judge by its first steps.
    Stranger,
    /// No connection came about.
    Unreachable,
    /// The connection is gone.
    Lost,
}

impl Reason {
    const SENT: [Reason; 10] = [
        Reason::Stopping,
        Reason::Superseded,
        Reason::Done,
        Reason::Unlisted,
        Reason::Version,
        Reason::Cluster,
        Reason::Identity,
        Reason::Itself,
        Reason::Protocol,
        Reason::Unexpected,
    ];

    /// The label in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Reason::Stopping => "stopping",
            Reason::Superseded => "superseded",
            Reason::Done => "done",
            Reason::Unlisted => "unlisted",
            Reason::Version => "version",
            Reason::Cluster => "cluster",
            Reason::Identity => "identity",
            Reason::Itself => "itself",
            Reason::Protocol => "protocol",
            Reason::Unexpected => "unexpected",
            Reason::Secret => "secret",
            Reason::Busy => "busy",
            Reason::Stranger => "stranger",
            Reason::Unreachable => "unreachable",
            Reason::Lost => "lost",
        }
    }

    /// Somebody has to mend something: it is counted, and said as a warning.
    pub(super) fn is_refusal(self) -> bool {
        matches!(
            self,
            Reason::Superseded
                | Reason::Version
                | Reason::Cluster
                | Reason::Identity
                | Reason::Itself
                | Reason::Protocol
                | Reason::Secret
                | Reason::Busy
                | Reason::Stranger
        )
    }
}

/// Why a connection ended or was not made, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Refusal { reason, text: text.into() }
    }

    /// What was sent cannot be read.
    pub(super) fn protocol(fault: impl fmt::Display) -> Self {
        Refusal::new(Reason::Protocol, fault.to_string())
    }

    /// No connection came about.
    pub(super) fn unreachable(fault: impl fmt::Display) -> Self {
        Refusal::new(Reason::Unreachable, fault.to_string())
    }

    /// Ends a connection and lets the peer know why.
    pub(super) fn close(&self, connection: &quinn::Connection) {
        let reason = if Reason::SENT.contains(&self.reason) { self.reason } else { Reason::Done };
        connection.close(VarInt::from_u32(reason as u32), self.text.as_bytes());
    }
}

impl From<ConnectionError> for Refusal {
    fn from(error: ConnectionError) -> Self {
        let unknown = TransportErrorCode::crypto(UNKNOWN_AUTHORITY);
        match &error {
            ConnectionError::TransportError(fault) if fault.code == unknown => other_secret(),
            ConnectionError::ConnectionClosed(close) if close.error_code == unknown => other_secret(),
            ConnectionError::ApplicationClosed(close) => {
                let sent = usize::try_from(close.error_code.into_inner()).unwrap_or(usize::MAX);
                let reason = Reason::SENT.get(sent).copied().unwrap_or(Reason::Protocol);
                let text: String = String::from_utf8_lossy(&close.reason).chars().take(SHOWN_CHARS).collect();
                Refusal::new(reason, text.escape_debug().to_string())
            }
            _ => Refusal::new(Reason::Lost, error.to_string()),
        }
    }
}

fn other_secret() -> Refusal {
    Refusal::new(
        Reason::Secret,
        "its cluster secret is not this node's: give both the same EMBERGRID_CLUSTER_SECRET",
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quinn::ApplicationClose;

    use super::*;

    #[test]
    fn every_sent_reason_stands_at_its_number() {
        for (number, reason) in Reason::SENT.into_iter().enumerate() {
            assert_eq!(reason as usize, number, "{}", reason.name());
        }
    }

    #[test]
    fn what_a_peer_says_is_bounded_and_escaped() {
        let said = |code: u32, text: Vec<u8>| {
            let close = ApplicationClose { error_code: code.into(), reason: Bytes::from(text) };
            Refusal::from(ConnectionError::ApplicationClosed(close))
        };
        assert_eq!(said(5, b"other\ncluster".to_vec()), Refusal::new(Reason::Cluster, "other\\ncluster"));
        assert_eq!(said(99, vec![b'x'; 500]), Refusal::new(Reason::Protocol, "x".repeat(SHOWN_CHARS)));
    }
}
