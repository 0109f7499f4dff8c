//! PURE: one replica of one partition.
//!
//! A [`Core`] is told what happened ([`Input`]) and answers with what to do ([`Effect`]); it knows no clock, thread or
//! socket. An operation takes this way through it:
//!
//! 1. admission: is there room, is the lease alive, was the request answered before?
//! 2. slots: in order of arrival, one operation at a time on each key;
//! 3. decision: over what is committed and what is prepared;
//! 4. scores, where the map has bindings: [`Effect::Score`] out, [`Input::Scored`] in;
//! 5. an entry of the log: seq assigned, acknowledged by every in-sync replica, committed, applied, published;
//! 6. the reply, which travels in the entry too, so that a retry finds it.
//!
//! Architecture invariants:
//! - What is in the store is committed; what is prepared is seen by decisions and by nobody else.
//! - Nothing is decided outside this room: not by whoever scores, not by whoever replies.
//! - There is no path around the log: metadata, expiry and the end of a session are entries like any other.
//! - A request on which nothing was decided when the role was handed over goes with it: it is refused by nobody for that.
//! - What only a primary has is made when a replica is promoted, and gone when it is a primary no longer.

mod account;
mod admission;
mod core;
mod debts;
mod effect;
mod entry;
mod expiry;
mod held;
mod identity;
mod input;
mod job;
mod ledger;
mod limits;
mod log;
mod operation;
mod pending;
mod replication;
mod sessions;
mod site;
mod slots;
mod tail;
#[cfg(test)]
pub(crate) mod tests;
mod tickets;
mod view;
mod written;

pub use account::{Account, Progress};
pub use core::{Core, Setup};
pub use effect::{Difference, Effect, Outcome, ScoreTask, Ticket};
pub use entry::{Answer, Answered, Change, Entry};
pub use input::{Input, Op, Origin, PutMode, Request, Ttl};
pub use job::{JobBatch, ScoredRow};
pub use limits::Limits;
pub use log::{Gone, Log};
pub use replication::{Body, Frame, Part, Place, Proposal, Timing, Verdict};
pub use sessions::SessionCopy;
pub use view::{Cutover, MapView, View};
