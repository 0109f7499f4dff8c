//! `embergrid model run`

use std::path::PathBuf;

use clap::Args;

/// Score a file's rows with a model file, here and now, without a cluster.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid model run models/breast-cancer/1 --input models/breast-cancer/data.csv"
)]
pub(super) struct Run {
    /// A model file or version folder.
    file: PathBuf,
    /// The rows: `.csv` with a header, `.jsonl` or `.npy`.
    #[arg(long, value_name = "ROWS")]
    input: PathBuf,
}
