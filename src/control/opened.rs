//! What a node finds in its data folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use openraft::EntryPayload;

use super::{
    blobs::Blobs,
    disk::{Disk, Fact, Fault},
    folder::{self, Folder, RESTORE, random},
    machine::Machine,
    raft::Entry,
};
use crate::{
    catalog::Command,
    types::{Error, NodeId, Result},
};

/// A node's own part of the control group, as its last start left it.
pub struct Opened {
    pub(super) node: NodeId,
    pub(super) cluster: u64,
    pub(super) disk: Arc<Disk>,
    pub(super) machine: Machine,
    /// The starts of others that it recorded as it founded the cluster.
    pub(super) named: BTreeMap<NodeId, u64>,
    pub(super) blobs: Blobs,
}

impl Opened {
    /// The node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The cluster it belongs to; zero for none yet.
    pub fn cluster(&self) -> u64 {
        self.cluster
    }

    /// Opens the data folder, off the runtime's threads: locks and databases wait for the disk.
    pub(super) async fn open(data_dir: Option<PathBuf>) -> Result<Self> {
        let file = data_dir.as_deref().map(folder::database);
        let opened = tokio::task::spawn_blocking(move || {
            let (folder, blobs) = match data_dir {
                Some(path) => (Some(Arc::new(Folder::open(&path)?)), Blobs::in_folder(&path)?),
                None => (None, Blobs::in_memory()),
            };
            let node = folder.as_deref().map_or_else(|| NodeId(random()), Folder::node);
            Ok(Disk::open(folder).and_then(|disk| Opened::read(node, disk, blobs)))
        });
        let opened: Result<_> = opened.await.unwrap_or_else(|ended| Ok(Err(Fault::of(ended))));
        opened?.map_err(|fault| broken(fault, file.as_deref()))
    }

    pub(super) fn read(node: NodeId, disk: Disk, blobs: Blobs) -> std::result::Result<Self, Fault> {
        let disk = Arc::new(disk);
        let mut machine = Machine::open(Arc::clone(&disk))?;
        // All of them, as damage is better found now than when one is needed.
        let entries: Vec<Entry> = disk.entries(..)?;
        let known = Some(machine.cluster()).filter(|cluster| *cluster != 0);
        let cluster = known.or_else(|| founded(&entries)).unwrap_or_default();
        if cluster == 0 && alone(&entries) == Some(node) {
            // It crashed between preparing to found a cluster and founding it. Nobody else has ever heard of it, and it
            // may join another one.
            disk.clear()?;
            machine = Machine::open(Arc::clone(&disk))?;
        }
        let named = disk.fact(Fact::Named)?.unwrap_or_default();
        Ok(Opened { named, node, cluster, disk, machine, blobs })
    }
}

/// The cluster that the log tells of.
fn founded(entries: &[Entry]) -> Option<u64> {
    entries.iter().find_map(|entry| match &entry.payload {
        EntryPayload::Normal(Command::Found(founding)) => Some(founding.cluster),
        _ => None,
    })
}

/// The only voter that the log tells of, if it is one.
fn alone(entries: &[Entry]) -> Option<NodeId> {
    let voters: BTreeSet<u64> = entries
        .iter()
        .filter_map(|entry| match &entry.payload {
            EntryPayload::Membership(membership) => Some(membership.voter_ids()),
            _ => None,
        })
        .flatten()
        .collect();
    let mut voters = voters.into_iter();
    voters.next().filter(|_| voters.next().is_none()).map(NodeId)
}

/// That what a file keeps cannot be used, and what to do.
pub(super) fn broken(fault: impl fmt::Display, file: Option<&Path>) -> Error {
    let error = Error::internal(fault.to_string()).hint(RESTORE);
    match file {
        Some(file) => error.within(format_args!("the file `{}`", file.display())),
        None => error,
    }
}
