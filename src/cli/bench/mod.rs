//! `embergrid bench`: the load generator.

use clap::{Args, Subcommand};

/// Put load on a cluster and measure it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench set --callers 50 --requests 1000000")]
pub(super) struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Set(Set),
    Get(Get),
    Score(Score),
}

/// Write opaque values to a plain map.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench set --callers 50 --requests 1000000 --value-size 128")]
pub(super) struct Set {
    /// Bytes a value.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    value_size: usize,
    #[command(flatten)]
    load: Load,
}

/// Read the values that `bench set` wrote.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid bench get --callers 50 --requests 1000000 --batch 16")]
pub(super) struct Get {
    /// Bytes a value.
    #[arg(long, value_name = "BYTES", default_value_t = 128)]
    value_size: usize,
    #[command(flatten)]
    load: Load,
}

/// Write rows of a file to a bound map, each scored before it is acknowledged.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid bench score --map payments --rows payments.csv --key id --requests 100000 --batch 64"
)]
pub(super) struct Score {
    /// The bound map.
    #[arg(long)]
    map: String,
    /// The rows (CSV or JSONL), written over and over.
    #[arg(long, value_name = "FILE")]
    rows: std::path::PathBuf,
    /// The column that is the key.
    #[arg(long, value_name = "COLUMN")]
    key: String,
    #[command(flatten)]
    load: Load,
}

/// How much load, and how it arrives.
#[derive(Clone, Debug, Args)]
pub(super) struct Load {
    /// Callers at work at the same time; each waits for its answer.
    #[arg(long, value_name = "N", default_value_t = 50)]
    callers: usize,
    /// Connections that the callers share.
    #[arg(long, value_name = "N", default_value_t = 1)]
    connections: usize,
    /// Rows a call.
    #[arg(long, value_name = "ROWS", default_value_t = 1)]
    batch: usize,
    /// Rows in all.
    #[arg(long, value_name = "ROWS", default_value_t = 100_000)]
    requests: u64,
    /// Open loop: rows a second, whether or not answers come. Latency then counts from when a call was due.
    #[arg(long, value_name = "ROWS/S")]
    rate: Option<f64>,
}
