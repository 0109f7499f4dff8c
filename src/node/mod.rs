//! The only owner of threads and tasks: runs the machines and performs their effects.
//!
//! A node's partitions are shared out between workers. Whoever has messages for a worker posts them and, if the
//! worker is idle, handles them on the spot ([`combiner`]); the worker feeds them to the partition cores, runs the
//! rows that wait for scores in batches, and delivers replies and events when the tick is over.

mod clock;
mod combiner;
mod connection;
mod cutover;
mod deploy;
mod drain;
mod grid;
mod job;
mod lanes;
mod models;
mod news;
mod options;
mod peer;
mod pool;
mod primaries;
mod proposals;
mod runtime;
mod sessions;
mod shared;
mod start;
mod subscription;
mod supervision;
#[cfg(test)]
mod tests;
mod upkeep;
mod worker;

pub use clock::Clock;
pub use connection::Reply;
pub use deploy::{Deployed, Package};
pub use drain::Burden;
pub use grid::{Connection, Grid, Replies, Shard, WeakGrid};
pub use lanes::Lanes;
pub use options::Options;
pub use primaries::Primaries;
pub use runtime::runtime;
pub use start::Node;
pub use subscription::{Notice, Subscription};
