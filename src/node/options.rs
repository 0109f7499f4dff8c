//! What a node can be told.

use std::path::PathBuf;

use crate::control;

/// How a node runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where definitions, models and the node's identity are kept; none: nowhere, they go with the process.
    pub data_dir: Option<PathBuf>,
    /// What people call the node; none: a name from its id.
    pub name: Option<String>,
    /// Where clients reach it, as told to them.
    pub advertise: String,
    /// Where peers reach it, as told to them.
    pub peer_advertise: String,
    /// How many partitions a cluster is founded with.
    pub partition_count: u16,
    /// How many workers share the partitions; none: as many as there are cores.
    pub workers: Option<usize>,
    /// Threads of the score pool, for batches too dear to run between other operations; none: one less than
    /// there are cores, at least one.
    pub score_threads: Option<usize>,
    /// A batch expected to take longer than this goes to the score pool.
    pub inline_us: u64,
    /// What one partition may hold on to.
    pub partition: crate::partition::Limits,
    /// Which model files are taken, and who computes.
    pub engine: crate::model::Options,
    /// How many events of each partition may wait for one subscriber.
    pub subscriber_credits: u32,
    /// The cluster's secret; tokens are signed with it.
    pub secret: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            data_dir: None,
            name: None,
            advertise: "127.0.0.1:7700".to_owned(),
            peer_advertise: "127.0.0.1:7701".to_owned(),
            partition_count: 271,
            workers: None,
            score_threads: None,
            inline_us: 200,
            partition: crate::partition::Limits::default(),
            engine: crate::model::Options::default(),
            subscriber_credits: 64,
            secret: Vec::new(),
        }
    }
}

impl Options {
    /// What the control group of this node needs.
    pub(super) fn control(&self) -> control::Options {
        control::Options {
            data_dir: self.data_dir.clone(),
            partition_count: self.partition_count,
            name: self.name.clone(),
            address: self.advertise.clone(),
            peer_address: self.peer_advertise.clone(),
        }
    }
}
