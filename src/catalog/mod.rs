//! PURE: the cluster's metadata as a state machine.
//!
//! A [`Catalogue`] changes only by [`Catalogue::apply`]: the same [`Command`]s in the same order give the same
//! catalogue on every node. The control group decides the order. What users write in files is read here:
//! [`BindingFile`], [`Manifest`]. The [`supervisor`] decides what to propose when nodes fail, start and return.

mod balance;
mod binding;
mod catalogue;
mod change;
mod command;
mod configuration;
mod founding;
mod health;
#[cfg(test)]
mod invariants;
mod job;
mod manifest;
mod map;
mod member;
mod model;
mod name;
pub mod supervisor;

pub use crate::types::{MAX_NAME_CHARS, check_name};
pub use binding::{Binding, BindingFile, Mode, ModelReference, Nan, OnDeadline, Target};
pub use catalogue::Catalogue;
pub use command::{Command, Response};
pub use configuration::{Configuration, ConfigurationChange, Replica, Step};
pub use founding::{DEFAULT_BACKUP_COUNT, DEFAULT_MIN_IN_SYNC, Founding};
pub use health::Health;
pub use job::{Job, JobPart, JobState, JobTally};
pub use manifest::{GoldenFile, InputFile, Manifest, OutputFile, TrainingFile};
pub use map::{Map, MapKind};
pub use member::{Member, MemberState, Node};
pub use model::{
    InputSignature, Model, ModelKind, ModelVersion, NullPolicy, NumberKind, OutputKind, OutputSignature,
};

pub use crate::row::schema_file::MapFile;

/// The most maps of a cluster.
pub const MAX_MAPS: usize = 4096;
/// The most models of a cluster.
pub const MAX_MODELS: usize = 4096;
/// The most versions a model ever has.
pub const MAX_MODEL_VERSIONS: usize = 4096;
/// The most aliases of a model.
pub const MAX_ALIASES: usize = 64;
/// The most bindings of one map: each is computed at every write.
pub const MAX_BINDINGS_OF_A_MAP: usize = 16;
/// The most partitions of a cluster.
pub const MAX_PARTITIONS: u16 = 4096;
/// The most nodes that a cluster remembers.
pub const MAX_NODES: usize = 256;
/// The most copies of a partition beside its primary.
pub const MAX_BACKUPS: u8 = 6;
/// The most changes of configurations by one command.
pub const MAX_CONFIGURATION_CHANGES: usize = MAX_PARTITIONS as usize;
/// The most jobs that a cluster remembers.
pub const MAX_JOBS: usize = 64;
/// The most jobs that are running or paused.
pub const MAX_RUNNING_JOBS: usize = 16;
/// The longest condition of a job.
pub const MAX_CONDITION_BYTES: usize = 16 << 10;
/// The most sessions granted by one command.
pub const MAX_SESSION_BLOCK: u32 = 1 << 20;
