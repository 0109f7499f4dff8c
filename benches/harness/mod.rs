//! What the benches share: servers in processes of their own, rounds in alternating order, and one way to print.

#![allow(dead_code, unused_imports, reason = "each bench uses its part")]

mod arguments;
mod cluster;
mod load;
#[cfg(feature = "rivals")]
pub(crate) mod onnx_runtime;
mod payments;
#[cfg(feature = "rivals")]
pub(crate) mod pipelining;
pub(crate) mod python;
mod redis;
mod report;
mod rounds;
mod server;

pub(crate) use arguments::Arguments;
pub(crate) use load::Load;
pub(crate) use payments::{Payments, figures};
pub(crate) use redis::key;
pub(crate) use report::{Cell, Report};
pub(crate) use rounds::{Side, medians};
pub(crate) use server::{Server, run};
