//! How much load, and how it arrives.

use clap::Args;

use crate::{
    cli::failure::{Failure, Result},
    types::Error,
};

/// How much load, and how it arrives.
#[derive(Clone, Debug, Args)]
pub(super) struct Load {
    /// Callers at work at the same time; each waits for its answer.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) callers: usize,
    /// Connections that the callers share.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) connections: usize,
    /// Threads that the callers share. More than one pays only where one has no time left.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threads: usize,
    /// Rows a call.
    #[arg(long, value_name = "ROWS", default_value_t = 1)]
    pub(super) batch: usize,
    /// Rows in all.
    #[arg(long, value_name = "ROWS", default_value_t = 100_000)]
    pub(super) requests: u64,
    /// Open loop: rows a second, whether or not answers come. Latency then counts from when a call was due.
    #[arg(long, value_name = "ROWS/S")]
    pub(super) rate: Option<f64>,
}

impl Load {
    /// How many threads it needs. Refuses a load that is none.
    pub(super) fn threads(&self) -> Result<usize> {
        let zero = [
            ("--callers", self.callers == 0),
            ("--connections", self.connections == 0),
            ("--threads", self.threads == 0),
            ("--batch", self.batch == 0),
            ("--requests", self.requests == 0),
            ("--rate", self.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite()))),
        ];
        match zero.iter().find(|(_, zero)| *zero) {
            Some((name, _)) => Err(Failure::Usage(Error::invalid(format!("{name} must be above 0")))),
            None => Ok(self.threads),
        }
    }
}
