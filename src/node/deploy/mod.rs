//! Deploying a model: load it beside what serves, try it on every node, and only then tell the cluster of it. A deploy
//! that fails anywhere has changed nothing.
//!
//! The node that is asked goes first: most of what can be wrong with a model is wrong everywhere. Then it hands the files
//! to every other node that is up, and each loads the model and runs its golden samples itself: another processor may
//! compute otherwise. A node that is away meanwhile fetches the bytes when the catalogue names them to it.

mod trial;
mod upload;
mod uploads;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::task::JoinSet;

use self::{upload::Settle, uploads::Uploads};
use super::grid::Grid;
use crate::{
    catalog::{Command, ModelVersion},
    types::{Digest, Error, Incarnation, NodeId, Result},
};

/// How long another node may take to learn that a deploy is over.
const SETTLE_WITHIN: Duration = Duration::from_secs(10);

/// A model version as it is uploaded: the files of its folder.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The model's name.
    pub name: String,
    /// Its version; none: the manifest's, or the next.
    pub version: Option<u32>,
    /// An alias that names it from now on.
    pub alias: Option<String>,
    /// The manifest's text.
    pub manifest: Option<String>,
    /// Which of the files is the model.
    pub model_file: String,
    /// Path within the folder to content.
    pub files: BTreeMap<String, Bytes>,
}

/// What a deploy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The model's name.
    pub name: String,
    /// The version deployed.
    pub version: u32,
    /// Of the model's bytes.
    pub digest: Digest,
    /// The alias that names it now.
    pub alias: Option<String>,
    /// How many nodes have loaded it.
    pub nodes: u32,
}

/// The deploys that this node has a part in.
#[derive(Debug, Default)]
pub(super) struct Deploys {
    /// One deploy through this node at a time.
    turn: tokio::sync::Mutex<()>,
    /// One model is loaded at a time, whoever deploys it: a load makes its neighbours slow. Nothing else is waited for
    /// by whoever holds it, least of all another node.
    loading: tokio::sync::Mutex<()>,
    begun: AtomicU64,
    uploads: Uploads,
}

/// Names one deploy: the node through which it goes, its start, and a number of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DeployId {
    node: NodeId,
    incarnation: Incarnation,
    number: u64,
}

impl Grid {
    /// Loads a model on every node beside what serves, tries it there, and only then adds it to the cluster.
    pub async fn deploy(&self, mut package: Package) -> Result<Deployed> {
        let deploys = &self.inner.deploys;
        let _one_at_a_time = deploys.turn.lock().await;
        let deploy = DeployId {
            node: self.me(),
            incarnation: self.inner.control.started().incarnation,
            number: deploys.begun.fetch_add(1, Ordering::Relaxed) + 1,
        };
        let others = self.others_up();
        let deployed = async {
            let version = self.try_model(deploy, package.clone()).await?;
            // From now on nobody is to choose.
            package.version = Some(version.version);
            self.try_elsewhere(deploy.number, &package, &version, &others).await?;
            let (name, number, digest) = (version.name.clone(), version.version, version.digest);
            let alias = package.alias.clone();
            self.propose(Command::AddModel { version, alias: alias.clone() }).await?;
            Ok(Deployed { name, version: number, digest, alias, nodes: 1 + others.len() as u32 })
        };
        let deployed = deployed.await;
        self.settle(deploy);
        self.settle_elsewhere(deploy.number, &others).await;
        deployed
    }

    /// Loads and tries a model here, and holds it ready.
    async fn try_model(&self, deploy: DeployId, package: Package) -> Result<ModelVersion> {
        let deploys = &self.inner.deploys;
        let _one_at_a_time = deploys.loading.lock().await;
        let next_version =
            self.catalogue().models().get(&package.name).map_or(1, |model| model.next_version());
        let (engine, clock) = (self.inner.options.engine, self.inner.shared.clock);
        let prepared =
            tokio::task::spawn_blocking(move || trial::prepare(&package, next_version, &engine, clock))
                .await
                .map_err(|error| Error::internal(format!("loading the model failed: {error}")))??;
        let trial::Prepared { version, loaded, bytes } = prepared;
        self.inner.control.blobs().put(bytes).await?;
        deploys.uploads.hold(deploy, version.digest);
        self.inner.shared.models.insert(version.digest, loaded);
        Ok(version)
    }

    /// Has every other node load and try the model.
    async fn try_elsewhere(
        &self,
        number: u64,
        package: &Package,
        version: &ModelVersion,
        others: &[(NodeId, String)],
    ) -> Result<()> {
        let mut trials = JoinSet::new();
        for (node, name) in others.iter().cloned() {
            let (grid, package, version) = (self.clone(), package.clone(), version.clone());
            trials.spawn(async move {
                let tried = upload::try_at(&grid, node, number, package, &version).await;
                tried.map_err(|error| error.within(format_args!("node {name}")))
            });
        }
        while let Some(tried) = trials.join_next().await {
            tried.map_err(|error| Error::internal(format!("a trial ended: {error}")))??;
        }
        Ok(())
    }

    /// The deploy is over: what was loaded for it goes, unless the cluster has come to know it.
    fn settle(&self, deploy: DeployId) {
        self.inner.deploys.uploads.end(deploy);
        let catalogue = self.catalogue();
        let is_wanted = |digest: &Digest| {
            catalogue.model_versions().any(|version| version.digest == *digest)
                || self.inner.deploys.uploads.holds(digest)
        };
        self.inner.shared.models.retain(is_wanted);
    }

    /// Tells the others that the deploy is over. Who does not hear it holds a model too many until the next deploy
    /// through this node.
    async fn settle_elsewhere(&self, number: u64, others: &[(NodeId, String)]) {
        let Some(net) = self.net() else { return };
        let version = self.catalogue().version;
        let told = others.iter().map(|(node, _)| {
            let (net, node) = (net.clone(), *node);
            async move {
                if let Err(error) = net.call(node, &Settle { number, version }, SETTLE_WITHIN).await {
                    tracing::debug!(%node, %error, "a node does not know that a deploy is over");
                }
            }
        });
        told.collect::<JoinSet<()>>().join_all().await;
    }

    /// The other nodes that are up, with their names.
    fn others_up(&self) -> Vec<(NodeId, String)> {
        let catalogue = self.catalogue();
        let others = catalogue.members().filter(|member| member.is_up() && member.node.id != self.me());
        others.map(|member| (member.node.id, member.node.name.clone())).collect()
    }

    /// Lets other nodes deploy models of up to so many bytes here.
    pub fn answer_deploys(&self, most_bytes: usize) {
        upload::answer(self, most_bytes);
    }
}
