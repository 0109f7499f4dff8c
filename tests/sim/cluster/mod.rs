//! Three nodes: the real cores with their replication, fills and leases, the real catalogue and supervisors, the real
//! feeds; and around them a seeded scheduler with virtual time, a network, a control group, clients and trouble.
//!
//! - [`world`]: what happens, when, to whom; `events` says what can happen;
//! - `machine`, `clock`, `host`: a machine, its clocks, and the node that runs on it;
//! - `network`, `control`: what lies between them;
//! - `clients`, `session`, `subscriber`: who uses the cluster;
//! - `faults`: what goes wrong;
//! - `oracle`: what must hold all the same.

mod clients;
mod clock;
mod control;
mod events;
mod faults;
mod host;
mod machine;
mod models;
mod network;
mod oracle;
mod seen;
mod session;
mod subscriber;
mod world;

pub(crate) use seen::Seen;
pub(crate) use world::{Plan, World};
