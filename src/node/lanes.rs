//! Threads that serve connections.
//!
//! Everything a connection is made of (its socket, its protocol, its sessions) runs on one thread, from first to last. Tasks
//! that hand one another the same few bytes gain nothing from running at the same time; moved from thread to thread they
//! would find cold caches there and wake sleeping processors all the time.

use std::thread;

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use crate::types::{Error, Result};

/// The threads. They end with this, and what they still have to do ends with them.
#[derive(Debug)]
pub struct Lanes(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// Ends the thread when it is dropped.
    _keep: oneshot::Sender<()>,
}

impl Lanes {
    /// Starts `count` threads, at least one.
    pub fn start(count: usize) -> Result<Self> {
        let lanes = (0..count.max(1)).map(Lane::start).collect::<std::io::Result<Vec<_>>>();
        lanes.map(Lanes).map_err(|error| Error::internal(format!("cannot start the threads: {error}")))
    }

    /// What runs tasks on each of them.
    pub fn runtimes(&self) -> impl ExactSizeIterator<Item = &Handle> {
        self.0.iter().map(|lane| &lane.runtime)
    }
}

impl Lane {
    fn start(number: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (keep, ended) = oneshot::channel();
        thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
            // Only ever dropped.
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        })?;
        Ok(Lane { runtime: handle, _keep: keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lane_is_one_thread_for_all_its_tasks() {
        let lanes = Lanes::start(2).unwrap();
        let mut threads = Vec::new();
        for runtime in lanes.runtimes() {
            let of = async || thread::current().id();
            let (outer, inner) =
                runtime.spawn(async move { (of().await, tokio::spawn(of()).await.unwrap()) }).await.unwrap();
            assert_eq!(outer, inner);
            threads.push(outer);
        }
        assert_ne!(threads[0], threads[1]);
    }
}
