//! `embergrid map create`

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// Create a map: a feature map from its schema file, or a plain map of opaque bytes.
///
/// Creating it again with the same definition does nothing; with another definition it is a conflict.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("kind").required(true).args(["schema", "plain"]))]
#[command(after_help = "Example:\n  embergrid map create screening --schema cluster/screening.schema.toml")]
pub(super) struct Create {
    /// The map's name; the file's must agree.
    map: String,
    /// The schema file (TOML) of a feature map.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A plain map: values are opaque bytes.
    #[arg(long)]
    plain: bool,
}
