//! How a client behaves.

use std::time::Duration;

use crate::wire::MAX_OUTSTANDING;

/// Where the cluster is and how patient to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses of nodes, `host:port`; tried in this order. One is enough to begin: it tells where the others are.
    pub addresses: Vec<String>,
    /// Connections to each node, each with a session of its own. One serves many callers: more help only where one
    /// core cannot keep up with a connection's traffic.
    pub connections: usize,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long an operation may take, retries included: longer than it takes the cluster to replace a node.
    pub timeout: Duration,
    /// The pauses between retries of what was refused for the moment.
    pub retry: Retry,
    /// Writes of one connection that may be unanswered at once; more wait here.
    pub outstanding: u32,
    /// About how many bytes of operations go into one frame.
    pub frame_bytes: usize,
}

/// The pauses between the retries of an operation. They double from the shortest to the longest.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Before the first retry.
    pub shortest: Duration,
    /// Before any retry.
    pub longest: Duration,
}

impl Options {
    /// The defaults, for a cluster at these addresses.
    pub fn new(addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Options {
            addresses: addresses.into_iter().map(Into::into).collect(),
            connections: 1,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            retry: Retry { shortest: Duration::from_millis(5), longest: Duration::from_millis(250) },
            outstanding: MAX_OUTSTANDING,
            frame_bytes: 256 << 10,
        }
    }
}
