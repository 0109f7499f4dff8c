//! The settings as users write them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{node, server, telemetry};

/// Every setting of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the node is and where it is reached.
    pub node: NodeSection,
    /// What one partition may hold.
    pub partition: PartitionSection,
    /// How models run.
    pub scoring: ScoringSection,
    /// How large a model may be.
    pub models: ModelsSection,
    /// What one client may take up.
    pub server: ServerSection,
    /// What is logged.
    pub telemetry: telemetry::Options,
}

/// What the node is and where it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSection {
    /// Where maps, models, bindings and the node's id are kept; without it they go with the process.
    pub data_dir: Option<PathBuf>,
    /// What the node is called; derived from its id by default.
    pub name: Option<String>,
    /// Where clients are listened to.
    pub listen: String,
    /// Where peers are listened to.
    pub peer_listen: String,
    /// Where clients are told to go; `listen` by default.
    pub advertise: Option<String>,
    /// Where peers are told to go; `peer_listen` by default.
    pub peer_advertise: Option<String>,
    /// Nodes of the cluster to join.
    pub seeds: Addresses,
    /// How many nodes found the cluster together.
    pub expect: Option<u32>,
    /// Partitions of a cluster that is founded; an existing one keeps its count.
    pub partitions: u16,
    /// Copies of a partition beside its primary, in a cluster that is founded; an existing one keeps its count.
    pub backup_count: u8,
    /// Replicas that must have a write before it is acknowledged, the primary included; an existing cluster keeps it.
    pub min_in_sync: u8,
    /// A node that is silent for so many milliseconds is taken to be down, and others take over; the same on all nodes.
    pub failure_timeout_ms: u32,
    /// How many seconds a node that is told to end may take until others have taken over what it holds; 0: it ends at once.
    pub drain_timeout_s: u32,
    /// Workers that share the partitions; as many as there are cores by default.
    pub workers: Option<usize>,
}

/// What one partition may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionSection {
    /// Operations between admission and reply.
    pub operations: usize,
    /// Their bytes.
    pub operation_bytes: usize,
    /// Sessions whose answers are kept for retries.
    pub sessions: usize,
    /// Entries kept for subscriptions that resume.
    pub retained_entries: usize,
    /// Their bytes.
    pub retained_bytes: usize,
}

/// How models run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScoringSection {
    /// Who computes: `flex` or `ndarray`.
    pub backend: String,
    /// Threads of the score pool; one less than there are cores by default.
    pub threads: Option<usize>,
    /// A batch expected to take longer than this, in microseconds, goes to the score pool.
    pub inline_us: u64,
}

/// How large a model may be; one that is larger is refused when it is deployed. The same on all nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsSection {
    /// Operators of its graph.
    pub operators: usize,
    /// Operators on the longest way through it.
    pub depth: usize,
    /// Elements of all its weights.
    pub parameters: usize,
    /// Elements of one tensor, given or computed.
    pub elements: usize,
    /// Rounds of all its loops in one run.
    pub steps: usize,
}

/// What one client may take up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSection {
    /// The longest message, and the longest body of an HTTP request, in bytes.
    pub frame_bytes: usize,
    /// Operations of one session, from decoding to reply.
    pub session_operations: usize,
    /// Their bytes.
    pub session_bytes: usize,
    /// Bytes of one model's files.
    pub model_bytes: usize,
    /// Calls of one connection at a time.
    pub calls: u32,
    /// Events of each partition that may wait for one subscriber.
    pub subscriber_events: u32,
}

/// Addresses: a list, or text with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Addresses(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "addresses are a list of text, or text with commas")]
enum Written {
    List(Vec<String>),
    Text(String),
}

impl From<Written> for Addresses {
    fn from(written: Written) -> Self {
        let trimmed = |address: &str| Some(address.trim().to_owned()).filter(|address| !address.is_empty());
        match written {
            Written::List(addresses) => Addresses(addresses),
            Written::Text(text) => Addresses(text.split(',').filter_map(trimmed).collect()),
        }
    }
}

impl Default for NodeSection {
    fn default() -> Self {
        let node = node::Options::default();
        NodeSection {
            data_dir: node.data_dir,
            name: node.name,
            listen: node.advertise,
            peer_listen: node.peer_listen,
            advertise: None,
            peer_advertise: None,
            seeds: Addresses::default(),
            expect: None,
            partitions: node.partition_count,
            backup_count: node.backup_count,
            min_in_sync: node.min_in_sync,
            failure_timeout_ms: u32::try_from(node.failure_timeout.as_millis()).unwrap_or(u32::MAX),
            drain_timeout_s: 25,
            workers: node.workers,
        }
    }
}

impl Default for PartitionSection {
    fn default() -> Self {
        let limits = node::Options::default().partition;
        PartitionSection {
            operations: limits.ops,
            operation_bytes: limits.op_bytes,
            sessions: limits.sessions,
            retained_entries: limits.log_entries,
            retained_bytes: limits.log_bytes,
        }
    }
}

impl Default for ScoringSection {
    fn default() -> Self {
        let node = node::Options::default();
        ScoringSection {
            backend: node.engine.backend.to_string(),
            threads: node.score_threads,
            inline_us: node.inline_us,
        }
    }
}

impl Default for ModelsSection {
    fn default() -> Self {
        let limits = node::Options::default().engine.limits;
        ModelsSection {
            operators: limits.nodes,
            depth: limits.depth,
            parameters: limits.parameters,
            elements: limits.elements,
            steps: limits.steps,
        }
    }
}

impl Default for ServerSection {
    fn default() -> Self {
        let limits = server::Limits::default();
        ServerSection {
            frame_bytes: limits.frame_bytes,
            session_operations: limits.session_operations,
            session_bytes: limits.session_bytes,
            model_bytes: limits.model_bytes,
            calls: limits.calls,
            subscriber_events: node::Options::default().subscriber_credits,
        }
    }
}
