//! `embergrid model bench`

use std::path::PathBuf;

use clap::Args;

/// Measure a model on one thread at several batch sizes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model bench models/payments/1 --batch 1,64,1024")]
pub(super) struct Bench {
    /// A model file or version folder.
    file: PathBuf,
    /// Rows a call, several separated by commas.
    #[arg(long, value_name = "ROWS,..", value_delimiter = ',', default_value = "1,8,64,1024")]
    batch: Vec<usize>,
    /// The tensor backend.
    #[arg(long)]
    backend: Option<String>,
}
