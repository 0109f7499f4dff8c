//! `embergrid model verify`

use std::path::PathBuf;

use clap::Args;

/// Run golden samples in the ONNX test layout and compare: exit 0 only if all are ok.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid model verify models/ --rtol 1e-5 --atol 1e-5")]
pub(super) struct Verify {
    /// Folders to search, recursively, for `model.onnx` with `test_data_set_*`.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Relative tolerance: `|a-b| <= atol + rtol*|b|`.
    #[arg(long, default_value_t = 1e-3)]
    rtol: f64,
    /// Absolute tolerance.
    #[arg(long, default_value_t = 1e-5)]
    atol: f64,
    /// The tensor backend.
    #[arg(long)]
    backend: Option<String>,
}
