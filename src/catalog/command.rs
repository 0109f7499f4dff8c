//! What changes a catalogue, and what it answers.

use serde::{Deserialize, Serialize};

use super::{BindingFile, ConfigurationChange, Founding, JobPart, JobState, MapFile, ModelVersion, Node};
use crate::types::{
    BindingId, Epoch, Incarnation, JobId, MapId, NodeId, Result, SchemaId, SessionId, Tenure, Timestamp,
};

/// A change of the cluster's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The birth of a cluster.
    Found(Founding),
    /// A node has started. It is a member from now on; if it was one, what it held in memory is gone: it leaves every
    /// partition.
    StartNode {
        /// The node.
        node: Node,
        /// Refused unless the member is at this start, zero for a node that is none yet: of a start that was proposed
        /// several times one counts, and none after the last is known to have counted. None: whatever it is at.
        #[serde(default)]
        after: Option<Incarnation>,
    },
    /// A node is silent: it leaves every partition of which somebody else has the rows.
    FailNode {
        /// The node.
        node: NodeId,
        /// The start of it that is silent.
        incarnation: Incarnation,
    },
    /// A silent node is heard again.
    ReturnNode {
        /// The node.
        node: NodeId,
        /// The start of it that is heard.
        incarnation: Incarnation,
    },
    /// A node is to be stopped: others take over what it holds, where there is room. Its next start ends that.
    DrainNode {
        /// The node.
        node: NodeId,
        /// The start of it that is to end.
        incarnation: Incarnation,
    },
    /// A control leader takes up the supervision: what the tenures before decided and is not applied yet is void.
    Lead,
    /// Changes who holds partitions. Each change is judged alone, in order.
    Configure(Vec<ConfigurationChange>),
    /// Gives up the rows of every lost partition: it begins a new generation, empty.
    ResetLost {
        /// Also of every partition whose holders are silent. What they bring back is discarded then, and until its
        /// lease ends a holder that is silent to us may go on answering others: a waiver.
        unavailable: bool,
    },
    /// Creates a map, or adds nullable columns to one.
    CreateMap(MapFile),
    /// Drops a map and its rows.
    DropMap {
        /// The map's name.
        name: String,
    },
    /// Adds a version of a model whose bytes all members hold.
    AddModel {
        /// The version.
        version: ModelVersion,
        /// An alias that names it from now on.
        alias: Option<String>,
    },
    /// Moves an alias, and the bindings that follow it.
    SetAlias {
        /// The model's name.
        model: String,
        /// The alias.
        alias: String,
        /// The version it names from now on.
        version: u32,
    },
    /// Removes a version that nothing refers to.
    RemoveModel {
        /// The model's name.
        model: String,
        /// The version.
        version: u32,
    },
    /// Adds a binding, or replaces the one of this name.
    ApplyBinding(BindingFile),
    /// Removes a binding; the scores that it stored stay.
    DeleteBinding {
        /// The binding's name.
        name: String,
    },
    /// Begins to score the rows that a map has. Times of day are those of the node that proposes.
    StartJob {
        /// The map's name.
        map: String,
        /// The binding's name.
        binding: String,
        /// Which rows: a SQL condition, checked before it is proposed; none: all.
        condition: Option<String>,
        /// How many rows the map has.
        rows: u64,
        /// When.
        at: Timestamp,
    },
    /// Lets a job rest.
    PauseJob {
        /// The job.
        job: JobId,
        /// When.
        at: Timestamp,
    },
    /// Lets a paused job go on.
    ResumeJob {
        /// The job.
        job: JobId,
        /// When.
        at: Timestamp,
    },
    /// Ends a job; the scores that it stored stay.
    CancelJob {
        /// The job.
        job: JobId,
        /// When.
        at: Timestamp,
    },
    /// Partitions of a job are finished.
    JobProgress {
        /// The job.
        job: JobId,
        /// Which, and what became of their rows.
        finished: Vec<JobPart>,
        /// When.
        at: Timestamp,
    },
    /// Grants a block of session ids.
    GrantSessions {
        /// How many.
        count: u32,
    },
}

/// What a [`Command`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The cluster is founded, or a member has started.
    Started {
        /// Which start of the member it is.
        incarnation: Incarnation,
        /// Every partition began a new generation: the rows of the last one were in memory.
        new_generation: bool,
    },
    /// The node is taken to be up, down or draining, as asked for.
    Node {
        /// Whether anything changed.
        changed: bool,
    },
    /// The supervision is taken up.
    Leads {
        /// Until the next tenure.
        tenure: Tenure,
    },
    /// What became of each change, in order: the epoch it began, or why it was refused.
    Configured(Vec<Result<Epoch>>),
    /// The lost partitions begin anew.
    Reset {
        /// How many.
        partitions: u16,
    },
    /// The map is as asked for.
    Map {
        /// Its id.
        id: MapId,
        /// Its present schema; none for a plain map.
        schema: Option<SchemaId>,
        /// Whether anything changed.
        changed: bool,
    },
    /// The map is dropped.
    MapDropped {
        /// The id it had.
        id: MapId,
    },
    /// The version of the model is there.
    Model {
        /// Its number.
        version: u32,
        /// Whether anything changed.
        changed: bool,
    },
    /// The alias names the version.
    Alias {
        /// The version it named before.
        previous: Option<u32>,
    },
    /// The version of the model is gone.
    ModelRemoved,
    /// The binding is as asked for.
    Binding {
        /// Its id; a changed definition has a new one.
        id: BindingId,
        /// Whether anything changed.
        changed: bool,
    },
    /// The binding is gone.
    BindingDeleted {
        /// The id it had.
        id: BindingId,
    },
    /// The job is there.
    Job {
        /// Its id.
        id: JobId,
        /// How it stands now.
        state: JobState,
    },
    /// The sessions `first`, `first + 1`, .. are granted.
    Sessions {
        /// The first of the block.
        first: SessionId,
        /// How many.
        count: u32,
    },
}
