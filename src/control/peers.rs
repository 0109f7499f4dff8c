//! The way to the other nodes of the control group.

use std::time::Duration;

use openraft::{
    BasicNode, RaftNetwork, RaftNetworkFactory,
    error::{InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable},
    network::{Backoff, RPCOption},
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
        VoteRequest, VoteResponse,
    },
};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::{
    folder::random,
    group::Group,
    json::Json,
    raft::{LogId, SnapshotMeta, Types, Vote},
};
use crate::{
    net::{Call, Net, Raw},
    types::{Class, Error, NodeId},
};

/// How long after a node was not reached it is tried again: as long as between two heartbeats, for each that it misses
/// once it is back brings an election nearer.
const TRY_AGAIN: Duration = Duration::from_millis(60);
/// How long entries may be on their way.
const SENDING: Duration = Duration::from_secs(5);

/// Entries of the log, or a heartbeat.
#[derive(Serialize, Deserialize)]
struct Append(Json<AppendEntriesRequest<Types>>);

/// A candidate's request.
#[derive(Serialize, Deserialize)]
struct Ask(Json<VoteRequest<u64>>);

/// A part of a snapshot.
#[derive(Serialize, Deserialize)]
struct Install {
    vote: Json<Vote>,
    meta: Json<SnapshotMeta>,
    offset: u64,
    data: Raw,
    done: bool,
}

type Answer<T, E = RaftError<u64>> = Json<std::result::Result<T, E>>;

impl Call for Append {
    const NAME: &'static str = "control.append";
    type Answer = Answer<AppendEntriesResponse<u64>>;
}

impl Call for Ask {
    const NAME: &'static str = "control.vote";
    type Answer = Answer<VoteResponse<u64>>;
}

impl Call for Install {
    const NAME: &'static str = "control.snapshot";
    type Answer = Answer<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>>;
}

/// Answers what openraft's nodes ask of each other, from now on.
pub(super) fn answer(group: &std::sync::Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, Append(Json(request))| {
        group.belongs(from)?;
        let answer = group.raft.append_entries(request).await;
        if !matches!(answer, Err(_) | Ok(AppendEntriesResponse::HigherVote(_))) {
            group.patience.lock().heard(random());
        }
        Ok(Json(answer))
    });
    group.answer(net, async |group, from, Ask(Json(request))| {
        group.belongs(from)?;
        Ok(Json(group.raft.vote(request).await))
    });
    group.answer(net, async |group, from, install: Install| {
        group.belongs(from)?;
        let request = InstallSnapshotRequest {
            vote: install.vote.0,
            meta: install.meta.0,
            offset: install.offset,
            data: install.data.0.into(),
            done: install.done,
        };
        let vote = request.vote;
        let answer = group.raft.install_snapshot(request).await;
        if answer.as_ref().is_ok_and(|answer| answer.vote <= vote) {
            group.patience.lock().heard(random());
        }
        Ok(Json(answer))
    });
}

/// Makes the ways; without a network there are none.
#[derive(Clone)]
pub(super) struct Peers(pub(super) Option<Net>);

/// The way to one node. The network knows it by its certificate, so that nobody else can answer in its place.
pub(super) struct Way {
    net: Option<Net>,
    to: NodeId,
    sending: Option<Sending>,
}

/// Entries on their way. Consensus gives them no longer than a heartbeat, and then sends the same again: a long entry
/// would never arrive. So what is under way goes on, and whoever sends the same waits for it.
struct Sending {
    /// Who sends, after what, and up to what.
    extent: (Vote, Option<LogId>, LogId),
    answer: JoinHandle<Outcome<AppendEntriesResponse<u64>>>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

type Outcome<T, E = RaftError<u64>> = std::result::Result<T, RPCError<u64, BasicNode, E>>;

impl RaftNetworkFactory<Types> for Peers {
    type Network = Way;

    async fn new_client(&mut self, target: u64, _node: &BasicNode) -> Way {
        Way { net: self.0.clone(), to: NodeId(target), sending: None }
    }
}

async fn call<C, T, E>(net: Option<&Net>, to: NodeId, request: &C, within: Duration) -> Outcome<T, E>
where
    C: Call<Answer = Answer<T, E>>,
    E: std::error::Error,
{
    let answer = match net {
        Some(net) => net.call(to, request, within).await,
        None => Err(Error::unavailable("a node without a network has no peers")),
    };
    match answer {
        Ok(Json(answer)) => answer.map_err(|error| RPCError::RemoteError(RemoteError::new(to.0, error))),
        Err(error) if error.class == Class::Deadline => {
            Err(RPCError::Network(NetworkError::new(&Told(error))))
        }
        // Whatever it is, it is not over at once.
        Err(error) => Err(RPCError::Unreachable(Unreachable::new(&Told(error)))),
    }
}

/// What the network said, as openraft wants to have it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(Error);

impl RaftNetwork<Types> for Way {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Outcome<AppendEntriesResponse<u64>> {
        let Some(last) = request.entries.last().map(|entry| entry.log_id) else {
            return call(self.net.as_ref(), self.to, &Append(Json(request)), option.hard_ttl()).await;
        };
        let extent = (request.vote, request.prev_log_id, last);
        let sending = match self.sending.take() {
            Some(sending) if sending.extent == extent => self.sending.insert(sending),
            _ => {
                let (net, to) = (self.net.clone(), self.to);
                let answer =
                    tokio::spawn(
                        async move { call(net.as_ref(), to, &Append(Json(request)), SENDING).await },
                    );
                self.sending.insert(Sending { extent, answer })
            }
        };
        // Given up here, it is still there for the next attempt.
        let answer = (&mut sending.answer).await;
        self.sending = None;
        match answer {
            Ok(answer) => answer,
            Err(ended) => Err(RPCError::Unreachable(Unreachable::new(&ended))),
        }
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<Types>,
        option: RPCOption,
    ) -> Outcome<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>> {
        let install = Install {
            vote: Json(request.vote),
            meta: Json(request.meta),
            offset: request.offset,
            data: Raw(request.data.into()),
            done: request.done,
        };
        call(self.net.as_ref(), self.to, &install, option.hard_ttl()).await
    }

    async fn vote(&mut self, request: VoteRequest<u64>, option: RPCOption) -> Outcome<VoteResponse<u64>> {
        call(self.net.as_ref(), self.to, &Ask(Json(request)), option.hard_ttl()).await
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(TRY_AGAIN))
    }
}
