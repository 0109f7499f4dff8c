//! What a node can be told.

use std::{path::PathBuf, time::Duration};

use crate::{
    binding,
    catalog::{DEFAULT_BACKUP_COUNT, DEFAULT_MIN_IN_SYNC, supervisor::Settings},
    control,
    net::Net,
    partition::Timing,
};

/// How a node runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where definitions, models and the node's identity are kept; none: nowhere, they go with the process.
    pub data_dir: Option<PathBuf>,
    /// What people call the node; none: a name from its id.
    pub name: Option<String>,
    /// Where clients reach it, as told to them.
    pub advertise: String,
    /// Where it listens for peers, if it has a secret.
    pub peer_listen: String,
    /// Where peers reach it, as told to them; none: where it listens for them.
    pub peer_advertise: Option<String>,
    /// Where other nodes of the cluster may be found.
    pub seeds: Vec<String>,
    /// How many nodes found a cluster together; one, if none is given and there are no seeds.
    pub expect: Option<u32>,
    /// How many partitions a cluster is founded with.
    pub partition_count: u16,
    /// Copies of a partition beside its primary, in a cluster that is founded.
    pub backup_count: u8,
    /// Replicas that must have a write before it is acknowledged, the primary included, in a cluster that is founded.
    pub min_in_sync: u8,
    /// A node that is silent for so long is taken to be down, and others take over. What is shorter finds dead nodes sooner,
    /// and takes more that are only slow for dead.
    pub failure_timeout: Duration,
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
            peer_listen: "127.0.0.1:7701".to_owned(),
            peer_advertise: None,
            seeds: Vec::new(),
            expect: None,
            partition_count: 271,
            backup_count: DEFAULT_BACKUP_COUNT,
            min_in_sync: DEFAULT_MIN_IN_SYNC,
            failure_timeout: Duration::from_millis(500),
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
    /// How patient the replicas of a partition are with each other.
    pub(super) fn timing(&self) -> Timing {
        Timing { failure_us: self.failure_timeout_us(), ..Timing::default() }
    }

    /// How patient the supervisor is. A sole holder's lease costs nothing while its node lives, and outlasts a moment in
    /// which neither it nor the control leader gets a processor.
    pub(super) fn supervision(&self) -> Settings {
        Settings {
            failure_timeout_us: self.failure_timeout_us(),
            lease_us: 2_000_000,
            grant_us: 2_150_000,
            ..Settings::default()
        }
    }

    fn failure_timeout_us(&self) -> u64 {
        u64::try_from(self.failure_timeout.as_micros()).unwrap_or(u64::MAX)
    }

    /// What the control group of this node needs.
    pub(super) fn control(&self, net: Option<&Net>) -> control::Options {
        let listening = net.map_or_else(|| self.peer_listen.clone(), |net| net.listening_at().to_string());
        control::Options {
            partition_count: self.partition_count,
            backup_count: self.backup_count,
            min_in_sync: self.min_in_sync,
            expect: self.expect,
            has_seeds: !self.seeds.is_empty(),
            name: self.name.clone(),
            address: self.advertise.clone(),
            peer_address: self.peer_advertise.clone().unwrap_or(listening),
            dead_after: control::DEAD_AFTER,
            admission: control::Admission::new(|catalogue, command| {
                binding::admit(catalogue, command).map(drop)
            }),
        }
    }
}
