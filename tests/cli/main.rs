//! The binary as users run it: arguments, exit codes, files, a node, the tour and the demo.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod burn;
mod demo;
mod drain;
mod job;
mod node;
mod process;
mod tour;
mod usage;
