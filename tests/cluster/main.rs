//! A node and its clients, over real sockets.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod bounds;
mod burn;
mod grpc;
mod http;
mod node;
mod outage;
mod proxy;
mod rows;
mod scoring;
mod subscription;
