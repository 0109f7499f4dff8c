//! The state, and how it is looked up.

use std::{
    collections::{BTreeMap, btree_map::Values},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Binding, Command, Configuration, Job, Map, Member, Model, ModelReference, ModelVersion, Response, Target,
    founding::{default_backup_count, default_min_in_sync},
    name::missing,
};
use crate::types::{
    CatalogueVersion, Error, JobId, JobsVersion, MapId, NodeId, PartitionId, PlacementVersion, Result,
    SessionId, Tenure,
};

/// The cluster's metadata. Cheap to clone: what it holds is shared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Rises by one with every change of maps, models and bindings. Session grants are no change of the metadata.
    pub version: CatalogueVersion,
    /// Rises by one with every change of members, of configurations and of the tenure.
    #[serde(default)]
    pub placement: PlacementVersion,
    /// Rises by one with every change of jobs.
    #[serde(default)]
    pub jobs_version: JobsVersion,
    /// The cluster's id: random, zero before it is founded.
    pub cluster: u64,
    /// Fixed at the cluster's birth, zero before.
    pub partition_count: u16,
    /// Copies of a partition beside its primary. Fixed at the cluster's birth, zero before.
    #[serde(default = "default_backup_count")]
    pub backup_count: u8,
    /// Replicas that must have an entry before it is committed, the primary included. Fixed at the cluster's birth,
    /// zero before.
    #[serde(default = "default_min_in_sync")]
    pub min_in_sync: u8,
    /// Rises with every control leader that takes up the supervision of the cluster.
    #[serde(default)]
    pub tenure: Tenure,
    pub(super) members: BTreeMap<NodeId, Member>,
    /// By partition.
    pub(super) configurations: Arc<Vec<Configuration>>,
    pub(super) maps: BTreeMap<MapId, Arc<Map>>,
    pub(super) map_ids: BTreeMap<String, MapId>,
    pub(super) models: BTreeMap<String, Arc<Model>>,
    pub(super) bindings: BTreeMap<String, Arc<Binding>>,
    #[serde(default)]
    pub(super) jobs: BTreeMap<JobId, Arc<Job>>,
    pub(super) next: Next,
}

/// The ids to give next. None is ever reused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Next {
    pub(super) map: u32,
    pub(super) schema: u32,
    pub(super) binding: u32,
    pub(super) join: u64,
    pub(super) session: u64,
    #[serde(default = "first_job")]
    pub(super) job: u32,
}

fn first_job() -> u32 {
    1
}

impl Default for Next {
    fn default() -> Self {
        Next { map: 1, schema: 1, binding: 1, join: 1, session: 1, job: first_job() }
    }
}

impl Catalogue {
    /// Applies a command: all of it, or nothing with the refusal. Deterministic.
    pub fn apply(&mut self, command: &Command) -> Result<Response> {
        super::change::apply(self, command)
    }

    /// Whether the cluster has been founded.
    pub fn is_founded(&self) -> bool {
        self.cluster != 0
    }

    /// The nodes of the cluster.
    pub fn members(&self) -> Values<'_, NodeId, Member> {
        self.members.values()
    }

    /// A node of the cluster.
    pub fn member(&self, node: NodeId) -> Option<&Member> {
        self.members.get(&node)
    }

    /// Sessions of lower ids were granted, from 1. Which of them are over is not known here.
    pub fn next_session(&self) -> SessionId {
        SessionId(self.next.session)
    }

    /// Every partition's configuration, by partition.
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// A partition's configuration.
    pub fn configuration(&self, partition: PartitionId) -> Option<&Configuration> {
        self.configurations.get(usize::from(partition.0))
    }

    /// The maps, by id.
    pub fn maps(&self) -> Values<'_, MapId, Arc<Map>> {
        self.maps.values()
    }

    /// The map of this name, or a refusal with the nearest one.
    pub fn map(&self, name: &str) -> Result<&Arc<Map>> {
        let found = self.map_ids.get(name).and_then(|id| self.maps.get(id));
        found.ok_or_else(|| missing("map", name, self.map_ids.keys()))
    }

    /// The map of this id.
    pub fn map_by_id(&self, id: MapId) -> Option<&Arc<Map>> {
        self.maps.get(&id)
    }

    /// Whether a map has ever had this id.
    pub fn has_named(&self, id: MapId) -> bool {
        id.0 < self.next.map
    }

    /// The models by name.
    pub fn models(&self) -> &BTreeMap<String, Arc<Model>> {
        &self.models
    }

    /// The model of this name, or a refusal with the nearest one.
    pub fn model(&self, name: &str) -> Result<&Arc<Model>> {
        self.models.get(name).ok_or_else(|| missing("model", name, self.models.keys()))
    }

    /// Every version of every model.
    pub fn model_versions(&self) -> impl Iterator<Item = &Arc<ModelVersion>> {
        self.models.values().flat_map(|model| model.versions().values())
    }

    /// A version of a model, by number.
    pub fn model_version(&self, name: &str, version: u32) -> Result<&Arc<ModelVersion>> {
        self.model(name)?.version(name, version)
    }

    /// The version that a reference names now.
    pub fn resolve(&self, reference: &ModelReference) -> Result<&Arc<ModelVersion>> {
        let model = self.model(&reference.name)?;
        match &reference.target {
            Target::Version(version) => model.version(&reference.name, *version),
            Target::Alias(alias) => {
                let version = model.aliases.get(alias).ok_or_else(|| {
                    missing("alias", alias, model.aliases.keys())
                        .within(format_args!("model `{}`", reference.name))
                })?;
                model.version(&reference.name, *version)
            }
        }
    }

    /// The bindings, by name.
    pub fn bindings(&self) -> Values<'_, String, Arc<Binding>> {
        self.bindings.values()
    }

    /// The binding of this name, or a refusal with the nearest one.
    pub fn binding(&self, name: &str) -> Result<&Arc<Binding>> {
        self.bindings.get(name).ok_or_else(|| missing("binding", name, self.bindings.keys()))
    }

    /// The jobs, oldest first.
    pub fn jobs(&self) -> Values<'_, JobId, Arc<Job>> {
        self.jobs.values()
    }

    /// The job of this id.
    pub fn job(&self, id: JobId) -> Result<&Arc<Job>> {
        self.jobs.get(&id).ok_or_else(|| {
            Error::not_found(format!("there is no job {id}"))
                .hint("`embergrid job list` shows those there are")
        })
    }

    /// The bindings of a map, by name.
    pub fn bindings_of(&self, map: MapId) -> impl Iterator<Item = &Arc<Binding>> {
        self.bindings.values().filter(move |binding| binding.map == map)
    }
}

impl Model {
    fn version(&self, name: &str, version: u32) -> Result<&Arc<ModelVersion>> {
        self.versions.get(&version).ok_or_else(|| {
            let known: Vec<String> = self.versions.keys().map(u32::to_string).collect();
            Error::not_found(format!("the model `{name}` has no version {version}"))
                .hint(format!("its versions are {}", known.join(", ")))
        })
    }
}
