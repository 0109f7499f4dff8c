//! What runs a node's tasks, but for its connections to clients: these have threads of their own
//! (`Lanes`).

use tokio::runtime::{Builder, Runtime};

use super::start::processors;
use crate::types::{Error, Result};

/// A runtime for one node, with a thread for every two processors.
///
/// What peers, consensus and upkeep hand one another is small, and a thread more is one more to wake: on two processors
/// scored writes with two copies are about an eighth faster with one thread than with two (the bench `replicated`).
pub fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(processors().div_ceil(2))
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("cannot start the threads: {error}")))
}
