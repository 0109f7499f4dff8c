//! `embergrid model deploy`

use std::path::PathBuf;

use clap::Args;

/// Upload a model to the running cluster: loaded, warmed up and checked against its golden samples on every node,
/// and only then named by its alias. A failed deploy changes nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  embergrid model deploy breast-cancer models/breast-cancer/1 --alias champion"
)]
pub(super) struct Deploy {
    /// The model's name; the manifest's must agree.
    name: String,
    /// A version folder with its manifest, or a bare model file.
    path: PathBuf,
    /// The version, where the manifest does not say it; never reused.
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Move this alias to the version once it is deployed.
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
}
