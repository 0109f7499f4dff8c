//! Consensus around the catalogue, and its durable log.
//!
//! The control group (openraft) orders the commands of a [`Catalogue`](crate::catalog::Catalogue); [`Control`] proposes
//! them and publishes the outcome through a watch. It is never on the path of a put. Votes and log entries are fsynced
//! before they count; a snapshot of the catalogue stands in for the entries it covers. With a data folder all of it
//! survives the process, and so do the bytes of models ([`Blobs`]); without one all of it is in memory.

mod blobs;
mod disk;
mod folder;
mod group;
mod log;
mod machine;
mod raft;
#[cfg(test)]
mod tests;

pub use blobs::Blobs;
pub use group::{Control, Options, Started};
