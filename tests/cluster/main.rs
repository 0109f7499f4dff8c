//! A node and its clients, over real sockets.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod bounds;
mod burn;
mod drain;
mod failover;
mod forwarding;
mod grpc;
mod http;
mod jobs;
mod jobs_failover;
mod lost;
mod node;
mod nodes;
mod outage;
mod proxy;
mod raw;
mod rows;
mod scoring;
mod sessions;
mod subscription;
