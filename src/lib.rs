//! Embergrid: an in-memory data grid that scores.
//!
//! # The house
//!
//! | level | room | what it is | may import |
//! |---|---|---|---|
//! | L0 | [`types`] | keys, ids, positions, time, error classes | |
//! | | [`row`] | schema and packed row | types |
//! | | `expr` | SQL scalar expressions over rows | types, row |
//! | | [`mutant`] | faults that can be switched on, for the simulator to catch | |
//! | L1 | [`topology`] | PURE: key to partition to replicas | types, mutant |
//! | | [`session`] | PURE: a client's session: what leaves for which node, and what is tried again | types, topology, mutant |
//! | | `store` | a partition's rows: one writer, many readers | types, row, mutant |
//! | | `catalog` | PURE: the cluster's metadata as a state machine | types, row, topology, mutant |
//! | | `binding` | PURE: a binding compiled for one catalogue version | types, row, expr, catalog |
//! | | `partition` | PURE: one replica of one partition | L0, topology, store, catalog, binding |
//! | | `feed` | PURE: subscriptions over committed entries | L0, store, catalog, partition |
//! | | `model` | a trained model: formats, graph, plan, execution | types |
//! | | `wire` | generated protobuf; the one codec | types, row |
//! | L2 | `net` | QUIC between nodes | types, telemetry |
//! | | `control` | consensus around catalog, its durable log | L0, catalog, net, telemetry |
//! | | `scoring` | batches, pools and deadlines over model | L0, catalog, binding, model |
//! | | `telemetry` | tracing, metrics | types |
//! | L3 | `node` | the only owner of threads and tasks | L0, L1, L2 |
//! | L4 | `server` | gRPC and HTTP for clients | L0, L1, L2, node |
//! | | `client` | the SDK | types, row, wire, topology, session |
//! | | `config` | one Options per component, composed | L0, L2, L3, server |
//! | | `cli` | one file a subcommand | all |
//!
//! `tests/house.rs` reads every `use crate::` against this table.

pub mod mutant;
pub mod row;
pub mod session;
pub mod topology;
pub mod types;

#[cfg(feature = "grid")]
pub mod binding;
#[cfg(feature = "grid")]
pub mod catalog;
#[cfg(feature = "grid")]
pub mod expr;
#[cfg(feature = "grid")]
pub mod feed;
#[cfg(feature = "grid")]
pub mod partition;
#[cfg(feature = "grid")]
pub mod store;

#[cfg(feature = "wire")]
pub mod wire;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "engine")]
pub mod model;

#[cfg(feature = "node")]
pub mod cli;
#[cfg(feature = "node")]
pub mod config;
#[cfg(feature = "node")]
pub mod control;
#[cfg(feature = "node")]
pub mod net;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "node")]
pub mod scoring;
#[cfg(feature = "node")]
pub mod server;
#[cfg(feature = "node")]
pub mod telemetry;

/// What the README says in Rust compiles.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
mod readme {}
