//! `embergrid map load`

use std::path::PathBuf;

use clap::Args;

use crate::cli::rows::Format;

/// Load a CSV or JSONL file into a map; every row is acknowledged, with its scores where the map is bound.
///
/// A file is checked whole before its first row is sent; stdin stops at the broken line.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  embergrid map load screening models/breast-cancer/data.csv --key id")]
pub(super) struct Load {
    /// The map's name.
    map: String,
    /// The file, or `-` for stdin.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// The column that is the key.
    #[arg(long, value_name = "COLUMN")]
    key: String,
    /// The file's format, where its name does not say it; stdin is CSV unless told.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Columns of the file that the map does not have.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    ignore_columns: Vec<String>,
    /// Leave broken lines out, and count them, instead of stopping.
    #[arg(long)]
    skip_errors: bool,
}
