//! Three to five nodes, and more that may join, up to seven: the real cores with their replication, fills and leases, the real catalogue and supervisors, the real
//! feeds, the real sessions of the SDK; and around them a seeded scheduler with virtual time, a network, a control group,
//! clients and trouble.
//!
//! - [`world`]: what happens, when, to whom; `events` says what can happen;
//! - `machine`, `clock`, `host`: a machine, its clocks, and the node that runs on it;
//! - `network`, `control`: what lies between them;
//! - `clients`, `subscriber`: who uses the cluster;
//! - `connection`, `stream`, `draft`: how clients do;
//! - `owed`, `places`: what nodes keep for them, and tell them;
//! - `faults`: what goes wrong;
//! - `oracle`: what must hold all the same;
//! - `trace`, `seen`: a hash of all that happens, and what a run came to.

mod clients;
mod clock;
mod connection;
mod control;
mod draft;
mod events;
mod faults;
mod host;
mod machine;
mod models;
mod network;
mod oracle;
mod owed;
mod places;
mod seen;
mod stream;
mod subscriber;
mod trace;
mod world;

pub(crate) use faults::Trouble;
pub(crate) use seen::Seen;
pub(crate) use world::{Plan, World};
