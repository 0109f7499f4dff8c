//! The handle to this node's part in the control group.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use openraft::error::Fatal;
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};

use super::{
    birth::Birth,
    blobs::Blobs,
    election, fetch,
    folder::random,
    founding,
    group::{Admission, Group, failed},
    join,
    leadership::{self, Leadership},
    log::Log,
    opened::{Opened, broken},
    patience::Patience,
    peers::{self, Peers},
    proposal::{self, Unanswered},
    raft::{self, Raft},
    tending,
};
use crate::{
    catalog::{Catalogue, Command, Node, Response},
    net::Net,
    types::{Digest, Error, Incarnation, NodeId, Result},
};

/// What the control group of a node needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of a cluster that is founded; an existing one keeps its own, and so for the next two.
    pub partition_count: u16,
    /// Copies of a partition beside its primary.
    pub backup_count: u8,
    /// Replicas that must have an entry before it is committed.
    pub min_in_sync: u8,
    /// How many nodes found the cluster together; without it a node that has no seeds founds one alone, and one that
    /// has joins what it finds there.
    pub expect: Option<u32>,
    /// Whether the network looks for other nodes at seeds.
    pub has_seeds: bool,
    /// What the node is called; derived from its id if none is given.
    pub name: Option<String>,
    /// Where clients reach the node.
    pub address: String,
    /// Where peers reach the node.
    pub peer_address: String,
    /// A voter that is silent for so long is replaced by another node.
    pub dead_after: Duration,
    /// What the catalogue cannot judge by itself.
    pub admission: Admission,
}

/// The control group as this node sees it.
pub struct Control {
    pub(super) group: Arc<Group>,
    started: Started,
    tasks: Mutex<JoinSet<()>>,
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
    /// Opens what the node's last start left in its data folder; without one nothing is kept.
    pub async fn open(data_dir: Option<PathBuf>) -> Result<Opened> {
        Opened::open(data_dir).await
    }

    /// Takes up the control group of the data folder, joins the one that is found at the seeds, or founds one, alone or
    /// with others. Returns when this start is recorded; until then it waits, for ever if need be, and says for what.
    ///
    /// Without a network the node is alone.
    pub async fn start(opened: Opened, options: Options, net: Option<Net>) -> Result<Self> {
        let is_founded = opened.cluster != 0;
        let (group, mut tasks) = assemble(opened, &options, net).await?;
        tasks.spawn(tending::tend(Arc::downgrade(&group), options.dead_after));
        let started = match group.enter(&options, is_founded).await {
            Ok(started) => started,
            Err(error) => {
                stop(&group.raft).await;
                return Err(error);
            }
        };
        let control = Control { group, started, tasks: Mutex::new(tasks) };
        control.settle_in().await?;
        Ok(control)
    }

    /// What is left to do once the start is recorded.
    async fn settle_in(&self) -> Result<()> {
        let catalogue = self.catalogue();
        if let Some(net) = &self.group.net {
            net.introduce(self.started.incarnation, catalogue.cluster);
        }
        self.dial();
        self.group.blobs.keep(catalogue.model_versions().map(|version| version.digest).collect()).await?;
        tending::warn_of_two(&catalogue);
        if self.started.new_generation {
            tracing::warn!(
                "the only node has restarted: its rows were in memory, so every partition begins a new generation; \
                 maps, models and bindings are kept"
            );
        }
        Ok(())
    }

    /// How this start was recorded.
    pub fn started(&self) -> Started {
        self.started
    }

    /// The bytes of models.
    pub fn blobs(&self) -> &Blobs {
        &self.group.blobs
    }

    /// The bytes of a model that the catalogue knows: from this node, or from any other, then kept here.
    pub async fn fetch(&self, digest: Digest) -> Result<Bytes> {
        self.group.fetch(digest).await
    }

    /// The bytes of a model that the catalogue does not know yet, of which there are `bytes`.
    pub async fn fetch_sized(&self, digest: Digest, bytes: u64) -> Result<Bytes> {
        self.group.fetch_sized(digest, bytes).await
    }

    /// The catalogue, and every change of its metadata and its placement.
    pub fn watch(&self) -> watch::Receiver<Arc<Catalogue>> {
        self.group.catalogue.clone()
    }

    /// The catalogue as last published.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.group.catalogue()
    }

    /// The nodes that vote, as this one knows; while voters are being changed, those that do before and after. Until the
    /// change is over, a leader needs a majority of both.
    pub fn voters(&self) -> BTreeSet<NodeId> {
        let membership = Arc::clone(&self.group.raft.metrics().borrow().membership_config);
        let configs = membership.membership().get_joint_config();
        let votes = |node: &u64| configs.iter().all(|config| config.contains(node));
        membership.voter_ids().filter(votes).map(NodeId).collect()
    }

    /// Has the network dial all nodes of the cluster, as this one knows them.
    pub fn dial(&self) {
        self.group.dial(BTreeMap::new());
    }

    /// Who leads, and every change of it.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.group.leadership.clone()
    }

    /// Proposes a command, from any node; on return it is applied, durably and on this node, or refused.
    ///
    /// It is proposed again for as long as it is certain that no leader has taken it, for some seconds. `unavailable` or
    /// `deadline` mean that nobody knows what became of it, or that there was no leader.
    pub async fn propose(&self, command: Command) -> Result<Response> {
        self.group.propose(command).await
    }

    /// Proposes a command once, to the present leader; the error says whether it is certain that it was not taken.
    pub async fn propose_once(&self, command: Command) -> std::result::Result<Response, Unanswered> {
        self.group.propose_once(command).await
    }

    /// Returns once a quorum has confirmed that this node leads.
    pub async fn confirm_quorum(&self) -> Result<()> {
        self.group.confirmed().await.map(drop)
    }

    /// Returns when this node can be part of the group no more, with the reason: its log is full or damaged. It must
    /// end; the others go on.
    pub async fn failed(&self) -> Error {
        let mut metrics = self.group.raft.metrics();
        loop {
            match &metrics.borrow_and_update().running_state {
                Ok(()) | Err(Fatal::Stopped) => {}
                Err(fatal) => {
                    let fault = format!("the control group on this node: {fatal}");
                    return broken(fault, self.group.disk.file().as_deref());
                }
            }
            if metrics.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Leaves the group as a crash would, in good order: what was answered is on disk anyway.
    pub async fn shutdown(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
        stop(&self.group.raft).await;
    }
}

/// Starts consensus, and answers the peers; the node has no place in the group yet.
async fn assemble(opened: Opened, options: &Options, net: Option<Net>) -> Result<(Arc<Group>, JoinSet<()>)> {
    let Opened { node, cluster, disk, machine, blobs, named } = opened;
    let catalogue = machine.watch();
    let log = Log::new(Arc::clone(&disk));
    let raft = Raft::new(node.0, raft::config(net.is_some())?, Peers(net.clone()), log.clone(), machine);
    let raft = raft.await.map_err(failed)?;
    let (shown, leadership) = watch::channel(Leadership::default());
    let me = Node {
        id: node,
        name: options.name.clone().unwrap_or_else(|| format!("node-{:04x}", node.0 >> 48)),
        address: options.address.clone(),
        peer_address: options.peer_address.clone(),
    };
    let start = random();
    let group = Arc::new(Group {
        me,
        start,
        raft,
        catalogue,
        leadership,
        blobs,
        disk,
        log,
        patience: Mutex::new(Patience::new(node, start)),
        net,
        admission: options.admission.clone(),
        cluster: Mutex::new(cluster),
        birth: Mutex::new(Birth::new(node, start)),
        named: Mutex::new(named),
        admitting: tokio::sync::Mutex::default(),
        membership: tokio::sync::Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(leadership::follow(group.raft.metrics(), shown));
    if let Some(net) = &group.net {
        tasks.spawn(election::watch(Arc::downgrade(&group)));
        election::answer(&group, net);
        peers::answer(&group, net);
        join::answer(&group, net);
        founding::answer(&group, net);
        proposal::answer(&group, net);
        fetch::answer(&group, net);
    }
    Ok((group, tasks))
}

async fn stop(raft: &Raft) {
    if let Err(error) = raft.shutdown().await {
        tracing::warn!("the control group did not end cleanly: {error}");
    }
}
