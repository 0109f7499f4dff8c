//! `embergrid model deploy`

use std::path::PathBuf;

use clap::Args;

use serde_json::json;

use super::package;
use crate::{
    cli::{context::Context, failure::Result},
    client::Deployment,
};

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

impl Deploy {
    pub(super) async fn run(self, context: &Context) -> Result {
        let files = package::read(&self.path)?;
        let deployment = Deployment { name: self.name, version: self.version, alias: self.alias, ..files };
        let deployed = context.connect().await?.deploy(deployment).await?;
        let object = json!({
            "name": deployed.name,
            "version": deployed.version,
            "digest": deployed.digest,
            "alias": deployed.alias,
            "nodes": deployed.nodes,
        });
        let alias = deployed.alias.map(|alias| format!(" as {alias}")).unwrap_or_default();
        let text =
            format!("deployed {}@{}{alias} on {} node(s)", deployed.name, deployed.version, deployed.nodes);
        Ok(context.output.answer(&object, text)?)
    }
}
