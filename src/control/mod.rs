//! Consensus around the catalogue, and its durable log.
//!
//! The control group (openraft) orders the commands of a [`Catalogue`](crate::catalog::Catalogue); [`Control`] proposes
//! them, from any node, and publishes the outcome through a watch. It is never on the path of a put. Votes and log
//! entries are fsynced before they count; a snapshot of the catalogue stands in for the entries it covers. With a data
//! folder all of it survives the process, and so do the bytes of models ([`Blobs`]); without one all of it is in memory.
//!
//! # How a node gets in
//! A node that belongs to no cluster joins the first one that it sees; if there is none, those that expect each other
//! found one ([`birth`]). The founder is its first and sole voter: what it has not finished founding nobody else has
//! heard of. Every other node asks the leader to record its start ([`join`]); the leader has the log replicated to it
//! first, and makes voters of up to five nodes ([`voters`]).
//!
//! # Whom it listens to
//! A process belongs to one cluster, from the moment it asks to join it, and takes nothing into its log from a node that
//! does not. The network refuses what calls itself a member of another.

mod birth;
mod blobs;
mod disk;
mod election;
mod fetch;
mod folder;
mod founding;
mod group;
mod handle;
mod head;
mod join;
mod json;
mod leadership;
mod log;
mod machine;
mod opened;
mod patience;
mod peers;
mod proposal;
mod raft;
mod seal;
mod start;
mod tending;
#[cfg(test)]
mod tests;
mod voters;

pub use blobs::Blobs;
pub use group::Admission;
pub use handle::{Control, Options, Started};
pub use leadership::Leadership;
pub use opened::Opened;
pub use proposal::Unanswered;
pub use tending::DEAD_AFTER;
