//! One partition's core, alone, under a seeded scheduler: virtual time, a network that delays, drops, repeats and reorders,
//! models that are late or fail, a lease that lapses, a model that is replaced. What must hold is in `oracle.rs`,
//! `follower.rs` and `linear.rs`.

mod client;
mod follower;
mod oracle;
mod world;

pub(crate) use world::{Plan, Summary, World};
