//! Jobs: every node works at the partitions that it is the primary of.
//!
//! What runs, and which partitions are finished, stands in the catalogue. A node looks through each open partition of
//! its own ([`pass`]): it scans the rows shard by shard, scores them on the score pool behind everything that somebody
//! waits for, and hands them to the core, a batch an entry. A partition is reported when nothing is left to do in it
//! ([`reports`]). Nothing else is remembered: a pass that is cut short, by a pause or with its node, is begun anew, and
//! passes over the rows that carry the job's name.

mod batch;
mod commands;
mod driver;
mod pass;
mod reports;
mod work;

pub(super) use driver::run;
