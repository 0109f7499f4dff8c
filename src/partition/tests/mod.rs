//! The core's rules, asserted on exact effects. An effect is written as one line, see [`line`].

pub(crate) mod bench;
mod catalogue;
mod cluster;
mod jobs;
mod reference;
mod replicas;
mod retries;
mod scores;
mod time;
mod writes;
