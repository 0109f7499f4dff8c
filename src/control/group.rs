//! This node's part in the control group.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use openraft::{BasicNode, error::RaftError};
use tokio::sync::watch;

use super::{
    blobs::Blobs,
    disk::{Disk, Fault},
    folder::{Folder, random},
    log::Log,
    machine::Machine,
    raft::{self, NoPeers, Raft},
};
use crate::{
    catalog::{Catalogue, Command, Founding, Node, Response},
    types::{Error, Incarnation, NodeId, Result},
};

/// How long a sole voter may take to lead. It needs no vote but its own: more means that the disk hangs.
pub(super) const LEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What the control group of a node needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where what must survive is kept; none for a node that leaves nothing behind.
    pub data_dir: Option<PathBuf>,
    /// Of a cluster that is founded; an existing one keeps its own.
    pub partition_count: u16,
    /// What the node is called; derived from its id if none is given.
    pub name: Option<String>,
    /// Where clients reach the node.
    pub address: String,
    /// Where peers reach the node.
    pub peer_address: String,
}

/// The control group as this node sees it.
pub struct Control {
    pub(super) raft: Raft,
    catalogue: watch::Receiver<Arc<Catalogue>>,
    blobs: Blobs,
    started: Started,
}

/// How this start of the node was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The node.
    pub node: NodeId,
    /// Which start of it this is.
    pub incarnation: Incarnation,
    /// Every partition began a new generation: the rows of the last start were in memory.
    pub new_generation: bool,
}

impl Control {
    /// Joins the control group of the data folder, or founds one. Returns when this start is recorded.
    pub async fn start(options: Options) -> Result<Self> {
        let (node, disk, blobs) = open(&options).await?;
        let log = Log::new(Arc::clone(&disk));
        let machine = Machine::open(disk).map_err(broken)?;
        let catalogue = machine.watch();
        let raft = Raft::new(node.0, raft::config()?, NoPeers, log, machine).await.map_err(failed)?;
        let started = match begin(&raft, &catalogue, &blobs, node, &options).await {
            Ok(started) => started,
            Err(error) => {
                stop(&raft).await;
                return Err(error);
            }
        };
        Ok(Control { raft, catalogue, blobs, started })
    }

    /// How this start was recorded.
    pub fn started(&self) -> Started {
        self.started
    }

    /// The bytes of models.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The catalogue, and every change of its metadata.
    pub fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.catalogue.clone()
    }

    /// The catalogue as last published.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.borrow())
    }

    /// Proposes a command; on return it is applied, here and durably, or refused.
    pub async fn propose(&self, command: Command) -> Result<Response> {
        propose(&self.raft, command).await
    }

    /// Returns once a quorum has confirmed that this node leads.
    pub async fn confirm_quorum(&self) -> Result<()> {
        self.raft.ensure_linearizable().await.map(drop).map_err(failed)
    }

    /// Leaves the group as a crash would, in good order: what was answered is on disk anyway.
    pub async fn shutdown(&self) {
        stop(&self.raft).await;
    }
}

/// Opens the data folder, off the runtime's threads: locks and databases wait for the disk.
async fn open(options: &Options) -> Result<(NodeId, Arc<Disk>, Blobs)> {
    let data_dir = options.data_dir.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let Some(path) = data_dir else {
            return Ok((NodeId(random()), Arc::new(Disk::open(None).map_err(broken)?), Blobs::in_memory()));
        };
        let folder = Arc::new(Folder::open(&path)?);
        let (node, blobs) = (folder.node(), Blobs::in_folder(&path)?);
        let disk = Disk::open(Some(folder))
            .map_err(|fault| broken(fault).within(format_args!("the data folder `{}`", path.display())))?;
        Ok((node, Arc::new(disk), blobs))
    });
    opened.await.unwrap_or_else(|_| Err(Error::unavailable("the node is ending")))
}

async fn begin(
    raft: &Raft,
    catalogue: &watch::Receiver<Arc<Catalogue>>,
    blobs: &Blobs,
    node: NodeId,
    options: &Options,
) -> Result<Started> {
    lead(raft, node, &options.peer_address).await?;
    let catalogue = Arc::clone(&catalogue.borrow());
    let versions = catalogue.models().values().flat_map(|model| model.versions().values());
    blobs.keep(versions.map(|version| version.digest).collect()).await?;
    record_start(raft, catalogue.is_founded(), node, options).await
}

/// Founds the group if there is none, and leads it: a sole voter waits for nobody's vote.
async fn lead(raft: &Raft, node: NodeId, peer_address: &str) -> Result<()> {
    if !raft.is_initialized().await.map_err(failed)? {
        let voters = BTreeMap::from([(node.0, BasicNode::new(peer_address))]);
        raft.initialize(voters).await.map_err(failed)?;
    } else if raft.current_leader().await != Some(node.0) {
        raft.trigger().elect().await.map_err(failed)?;
    }
    raft.wait(Some(LEAD_TIMEOUT)).current_leader(node.0, "a sole voter leads").await.map_err(failed)?;
    // A leader that restarted may not have applied yet what it had acknowledged.
    raft.ensure_linearizable().await.map_err(failed)?;
    Ok(())
}

async fn record_start(raft: &Raft, is_founded: bool, node: NodeId, options: &Options) -> Result<Started> {
    let description = Node {
        id: node,
        name: options.name.clone().unwrap_or_else(|| format!("node-{:04x}", node.0 >> 48)),
        address: options.address.clone(),
        peer_address: options.peer_address.clone(),
    };
    let command = if is_founded {
        Command::StartNode { node: description }
    } else {
        Command::Found(Founding::alone(random(), options.partition_count, description))
    };
    let Response::Started { incarnation, new_generation } = propose(raft, command).await? else {
        return Err(Error::internal("the start of the node was not recorded"));
    };
    if new_generation {
        tracing::warn!(
            "the only node has restarted: its rows were in memory, so every partition begins a new generation; \
             maps, models and bindings are kept"
        );
    }
    Ok(Started { node, incarnation, new_generation })
}

async fn propose(raft: &Raft, command: Command) -> Result<Response> {
    let written = raft.client_write(command).await.map_err(|error| match error {
        RaftError::APIError(_) => Error::unavailable(format!("the control group cannot decide now: {error}")),
        RaftError::Fatal(_) => failed(error),
    })?;
    written.data.unwrap_or_else(|| Err(Error::internal("the control group has no answer")))
}

async fn stop(raft: &Raft) {
    if let Err(error) = raft.shutdown().await {
        tracing::warn!("the control group did not end cleanly: {error}");
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::unavailable(format!("the control group has failed: {error}"))
}

fn broken(fault: Fault) -> Error {
    Error::internal(fault.to_string())
}
