//! openraft's types and settings, as the control group uses them.

use std::{io::Cursor, sync::Arc};

use openraft::{
    BasicNode, Config, RaftNetwork, RaftNetworkFactory, SnapshotPolicy,
    error::{InstallSnapshotError, RPCError, RaftError, Unreachable},
    network::RPCOption,
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
        VoteRequest, VoteResponse,
    },
};

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
pub(super) type Raft = openraft::Raft<Types>;

/// Entries between two snapshots, and entries kept behind one.
const SNAPSHOT_ENTRIES: u64 = 1000;

/// Beacons every 60 ms, elections after 200 to 300: what two loaded cores bear (see the protocol's failure detection).
pub(super) fn config() -> Result<Arc<Config>> {
    let config = Config {
        cluster_name: "embergrid".into(),
        heartbeat_interval: 60,
        election_timeout_min: 200,
        election_timeout_max: 300,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_ENTRIES),
        max_in_snapshot_log_to_keep: SNAPSHOT_ENTRIES,
        ..Config::default()
    };
    let config = config.validate().map_err(|error| Error::internal(format!("the control group: {error}")))?;
    Ok(Arc::new(config))
}

/// The way to other voters. A cluster of one node has none, so nothing is ever reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoPeers;

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the cluster has one node: it has no peers")]
struct NoPeer;

type Call<T, E = RaftError<u64>> = std::result::Result<T, RPCError<u64, BasicNode, E>>;

#[expect(clippy::result_large_err, reason = "the error is openraft's")]
fn unreachable<T, E: std::error::Error>() -> Call<T, E> {
    Err(RPCError::Unreachable(Unreachable::new(&NoPeer)))
}

impl RaftNetworkFactory<Types> for NoPeers {
    type Network = NoPeers;

    async fn new_client(&mut self, _target: u64, _node: &BasicNode) -> NoPeers {
        NoPeers
    }
}

impl RaftNetwork<Types> for NoPeers {
    async fn append_entries(
        &mut self,
        _request: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Call<AppendEntriesResponse<u64>> {
        unreachable()
    }

    async fn install_snapshot(
        &mut self,
        _request: InstallSnapshotRequest<Types>,
        _option: RPCOption,
    ) -> Call<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>> {
        unreachable()
    }

    async fn vote(&mut self, _request: VoteRequest<u64>, _option: RPCOption) -> Call<VoteResponse<u64>> {
        unreachable()
    }
}
