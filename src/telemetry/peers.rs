//! What is measured of the traffic between nodes.

use std::{fmt, sync::Arc};

use super::{
    family::Family,
    series::{Counter, Gauge},
};

/// The families of the traffic between nodes.
#[derive(Debug)]
pub(super) struct Peers {
    messages_sent: Family<Counter>,
    bytes_sent: Family<Counter>,
    messages_received: Family<Counter>,
    bytes_received: Family<Counter>,
    dropped: Family<Counter>,
    connections: Family<Gauge>,
    refused: Family<Counter>,
}

/// What is counted of one lane, over all peers.
#[derive(Clone, Debug)]
pub struct LaneMetrics {
    /// One-way messages, calls and answers sent.
    pub messages_sent: Arc<Counter>,
    /// Their bytes.
    pub bytes_sent: Arc<Counter>,
    /// One-way messages, calls and answers received.
    pub messages_received: Arc<Counter>,
    /// Their bytes.
    pub bytes_received: Arc<Counter>,
    /// One-way messages that were never sent: no room, nobody connected, too long.
    pub dropped: Arc<Counter>,
    /// Connections on which this node sends.
    pub connections: Arc<Gauge>,
}

/// The label of a lane.
const LANE: &[&str] = &["lane"];

impl Peers {
    /// Nothing measured yet.
    pub(super) fn new() -> Self {
        let counter = Counter::default;
        let family = |name, help| Family::new(name, help, LANE, counter);
        Peers {
            messages_sent: family("embergrid_peer_messages_sent_total", "Messages sent to other nodes."),
            bytes_sent: family("embergrid_peer_bytes_sent_total", "Bytes of messages sent to other nodes."),
            messages_received: family("embergrid_peer_messages_received_total", "Messages from other nodes."),
            bytes_received: family(
                "embergrid_peer_bytes_received_total",
                "Bytes of messages from other nodes.",
            ),
            dropped: family(
                "embergrid_peer_messages_dropped_total",
                "One-way messages that found no room or no connection; whoever sends them repeats them.",
            ),
            connections: Family::new(
                "embergrid_peer_connections",
                "Connections to other nodes.",
                LANE,
                Gauge::default,
            ),
            refused: Family::new(
                "embergrid_peers_refused_total",
                "Connections that one of the two sides refused, and why.",
                &["reason"],
                counter,
            ),
        }
    }

    /// The counters of one lane.
    pub(super) fn lane(&self, lane: &str) -> LaneMetrics {
        let labels = &[lane];
        LaneMetrics {
            messages_sent: self.messages_sent.with(labels),
            bytes_sent: self.bytes_sent.with(labels),
            messages_received: self.messages_received.with(labels),
            bytes_received: self.bytes_received.with(labels),
            dropped: self.dropped.with(labels),
            connections: self.connections.with(labels),
        }
    }

    /// Connections refused for this reason.
    pub(super) fn refused(&self, reason: &str) -> Arc<Counter> {
        self.refused.with(&[reason])
    }

    pub(super) fn write(&self, out: &mut String) -> fmt::Result {
        self.messages_sent.write(out)?;
        self.bytes_sent.write(out)?;
        self.messages_received.write(out)?;
        self.bytes_received.write(out)?;
        self.dropped.write(out)?;
        self.connections.write(out)?;
        self.refused.write(out)
    }
}
