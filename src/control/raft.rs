//! openraft's types and settings, as the control group uses them.

use std::{io::Cursor, sync::Arc};

use openraft::{BasicNode, Config, SnapshotPolicy};

use crate::{
    catalog::{Command, Response},
    types::{Error, Result},
};

/// What applying an entry gives: nothing for openraft's own entries.
pub(super) type Answer = Option<Result<Response>>;

openraft::declare_raft_types!(
    pub(super) Types:
        D = Command,
        R = Answer,
        NodeId = u64,
        Node = BasicNode,
);

pub(super) type Entry = openraft::Entry<Types>;
pub(super) type LogId = openraft::LogId<u64>;
pub(super) type Vote = openraft::Vote<u64>;
pub(super) type StoredMembership = openraft::StoredMembership<u64, BasicNode>;
pub(super) type SnapshotMeta = openraft::SnapshotMeta<u64, BasicNode>;
pub(super) type Snapshot = openraft::Snapshot<Types>;
pub(super) type StorageError = openraft::StorageError<u64>;
pub(super) type Metrics = openraft::RaftMetrics<u64, BasicNode>;
pub(super) type Raft = openraft::Raft<Types>;

/// Entries between two snapshots, and entries kept behind one.
const SNAPSHOT_ENTRIES: u64 = 1000;
/// A snapshot travels in parts of so many bytes.
const SNAPSHOT_PART_BYTES: u64 = 1 << 20;
/// How long a part may take to be received, and the last one to be written to disk as well.
const SNAPSHOT_PART_MS: u64 = 10_000;

/// Heartbeats every 60 ms, elections after 200 to 300: what two loaded cores bear (see the protocol's failure detection).
///
/// With peers the node's own patience calls elections, see [`patience`](super::patience).
pub(super) fn config(has_peers: bool) -> Result<Arc<Config>> {
    let config = Config {
        enable_elect: !has_peers,
        cluster_name: "embergrid".into(),
        heartbeat_interval: 60,
        election_timeout_min: 200,
        election_timeout_max: 300,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: SNAPSHOT_ENTRIES,
        snapshot_max_chunk_size: SNAPSHOT_PART_BYTES,
        install_snapshot_timeout: SNAPSHOT_PART_MS,
        ..Config::default()
    };
    let config = config.validate().map_err(|error| Error::internal(format!("the control group: {error}")))?;
    Ok(Arc::new(config))
}
