//! The SDK: typed access to a cluster's maps.
//!
//! A [`Client`] holds a session on each of its connections; all its callers share them, and what they ask for at the
//! same time travels together. Writes have request numbers, so that a retry after a broken connection takes effect
//! once at most.

mod admin;
mod calls;
mod channel;
mod cluster;
mod connection;
mod description;
mod draft;
mod jobs;
mod key;
mod map;
mod numbers;
mod options;
mod read;
mod row;
mod score;
mod session;
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
