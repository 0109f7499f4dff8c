//! Replication: what makes a partition survive its nodes.
//!
//! - [`frame`]: what replicas tell each other;
//! - `role`: what a replica is under a configuration, and how it becomes that;
//! - `peers`: the primary's account of the others;
//! - `send`: what a primary sends when a tick is over, and what it makes of the answers;
//! - `follow`: what a backup or learner does with the primary's entries;
//! - `lease`: the right to serve, asked for and granted;
//! - `takeover`: a new primary, until it serves;
//! - `handover`: a primary that gives its role to a backup;
//! - `join`: the way of learners and of eligible replicas into the in-sync set, and reports of silent ones;
//! - `fill`: the copy for a learner;
//! - `compare`: whether replicas hold the same.
//!
//! Architecture invariants:
//! - The log of an in-sync replica holds every committed entry, prepared or committed itself. Equal positions mean
//!   equal histories up to there.
//! - An acknowledgement says "my log is yours up to here", never more: entries that this epoch's primary has not
//!   confirmed are not acknowledged and not applied, though a promoted replica brings them along.
//! - Entries are dropped only where the primary of a later epoch has another one in their place. What is committed
//!   is never dropped.
//! - Of two primaries that follow each other, the later one serves when no lease of the earlier is left: it waited for as
//!   long as it had granted one, or the earlier had released its own before it proposed to hand over.
//! - Whatever a replica learned in one epoch from frames is forgotten in the next, unless the same primary goes on.

mod compare;
mod fill;
mod follow;
mod frame;
mod handover;
mod join;
mod lease;
mod peers;
mod role;
mod send;
mod takeover;
mod timing;

pub use fill::Part;
pub use frame::{Body, Frame, Verdict};
pub use join::Proposal;
pub use role::Place;
pub use timing::Timing;

pub(super) use compare::Comparison;
pub(super) use follow::{Follower, Learner};
pub(super) use peers::{Peers, Standing};
pub(super) use role::{Role, not_primary};
pub(super) use takeover::Phase;

use fill::{Receiver, Sender};
