//! The SDK: typed access to a cluster's maps.
//!
//! A [`Client`] holds a session on each of its connections; all its callers share them, and what they ask for at the
//! same time travels together. A connection has a stream to each node, and an operation goes straight to the node that
//! has its partition, or by way of another while that one cannot be reached. Writes have request numbers, so that a
//! retry, after a broken stream or at the node that has taken over, takes effect once at most.

mod admin;
mod answering;
mod calls;
mod channel;
mod cluster;
mod connection;
mod description;
mod draft;
mod jobs;
mod key;
mod map;
mod options;
mod read;
mod road;
mod row;
mod score;
mod subscription;
mod write;

pub use admin::Deployment;
pub use cluster::Client;
pub use description::Description;
pub use key::IntoKey;
pub use map::Map;
pub use options::{Options, Retry};
pub use read::Rows;
pub use row::{Lineage, Row};
pub use score::{Binding, Score};
pub use subscription::{Event, EventKind, Subscribe, Subscription};
pub use write::Put;
