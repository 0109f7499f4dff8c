//! `embergrid cluster status`

use clap::Args;

/// Show the nodes and how many partitions are healthy.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid cluster status")]
pub(super) struct Status {
    /// Show each partition.
    #[arg(long)]
    partitions: bool,
}
