//! Identifiers. Each is a newtype, so that one cannot be handed over for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A node: random at its first start, kept in its data folder.
    NodeId(u64)
);
id!(
    /// One start of a node, counted by the control group.
    Incarnation(u64)
);
id!(
    /// One addition of a replica to a partition; replica state and peer frames are keyed by it.
    JoinId(u64)
);
id!(
    /// A map; never reused, so an entry of a dropped map cannot reach its namesake.
    MapId(u32)
);
id!(
    /// One version of a map's schema; rows carry it.
    SchemaId(u32)
);
id!(
    /// A binding; never reused.
    BindingId(u32)
);
id!(
    /// A job, counted from 1; never reused.
    JobId(u32)
);
id!(
    /// A partition: 0..partition count, fixed at the cluster's birth.
    PartitionId(u16)
);
id!(
    /// Rises when an operator resets a lost partition.
    Generation(u32)
);
id!(
    /// Rises with every configuration of a partition.
    Epoch(u64)
);
id!(
    /// Counts the entries of a partition from 1. May recur after a truncation; a [`Position`] never does.
    Seq(u64)
);
id!(
    /// The seq of the entry that last wrote the row. Scores alone do not change it.
    RowVersion(u64)
);
id!(
    /// The version of the cluster's metadata; each command of the control group adds one.
    CatalogueVersion(u64)
);
id!(
    /// The version of the cluster's placement: rises with its members, their configurations and the tenure.
    PlacementVersion(u64)
);
id!(
    /// Rises with every change of the cluster's jobs.
    JobsVersion(u64)
);
id!(
    /// One reign over the supervision of the cluster. What was decided in an earlier one is void.
    Tenure(u64)
);
id!(
    /// One SDK session, from a block granted in advance.
    SessionId(u64)
);

impl JoinId {
    /// Names no replica: ids are given from 1.
    pub const NOBODY: JoinId = JoinId(0);
}

impl JobId {
    /// Names no job: ids are given from 1.
    pub const NONE: JobId = JobId(0);
}

/// A place in a partition's history. Ordered by generation, then epoch, then seq; never recurs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Rises when an operator resets a lost partition.
    pub generation: Generation,
    /// The configuration under which the entry was prepared.
    pub epoch: Epoch,
    /// The entry's number within the partition.
    pub seq: Seq,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.generation, self.epoch, self.seq)
    }
}

/// Names one request for ever, so that a retry finds the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The session that sent it.
    pub session: SessionId,
    /// Counts the session's requests from 1, over all partitions.
    pub number: u64,
}

/// The BLAKE3 digest of a model's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
