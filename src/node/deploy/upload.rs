//! A model on its way to the other nodes: its files in parts, then the question whether it works there.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{DeployId, Package};
use crate::{
    catalog::ModelVersion,
    net::{Call, Lane, Net, Peer, Raw},
    node::grid::Grid,
    types::{CatalogueVersion, Error, NodeId, Result},
};

/// The most of a file that travels at once.
pub(super) const PART_BYTES: usize = 8 << 20;
/// How long a node that is up may take to be connected.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often that is looked at.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
/// How long one part may take.
const PART_WITHIN: Duration = Duration::from_secs(60);
/// How long a node may take to load and try a model.
const TRIAL_WITHIN: Duration = Duration::from_secs(300);
/// How long the catalogue may take to say whether it knows a deployed model.
const ADOPT_WITHIN: Duration = Duration::from_secs(5);

/// The next part of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// The deploy, counted by the node that asks.
    pub(super) number: u64,
    /// Path within the folder.
    pub(super) path: String,
    /// Where in the file it belongs.
    pub(super) at: u64,
    pub(super) bytes: Raw,
}

impl Call for Part {
    const NAME: &'static str = "model.part";
    const LANE: Lane = Lane::Bulk;
    type Answer = ();
}

/// Asks for the files that were uploaded to be loaded and tried.
#[derive(Debug, Serialize, Deserialize)]
struct Prepare {
    number: u64,
    name: String,
    version: Option<u32>,
    manifest: Option<String>,
    model_file: String,
}

impl Call for Prepare {
    const NAME: &'static str = "model.prepare";
    const LANE: Lane = Lane::Bulk;
    type Answer = ModelVersion;
}

/// The deploy is over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settle {
    pub(super) number: u64,
    /// A version of the catalogue that has the model, if the deploy has come to its end.
    pub(super) version: CatalogueVersion,
}

impl Call for Settle {
    const NAME: &'static str = "model.settle";
    type Answer = ();
}

/// Has a node load and try the model.
pub(super) async fn try_at(
    grid: &Grid,
    node: NodeId,
    number: u64,
    package: Package,
    expected: &ModelVersion,
) -> Result<()> {
    let net = grid.net().ok_or_else(|| Error::unavailable("this node has no network"))?;
    connected(net, node).await?;
    let Package { name, version, manifest, model_file, files, .. } = package;
    for (path, content) in files {
        for part in parts(number, &path, &content) {
            net.call(node, &part, PART_WITHIN).await?;
        }
    }
    let prepare = Prepare { number, name, version, manifest, model_file };
    let prepared = net.call(node, &prepare, TRIAL_WITHIN).await?;
    if prepared != *expected {
        return Err(Error::internal("the model is another one there than here")
            .hint("nodes of one cluster run the same release"));
    }
    Ok(())
}

/// Waits until the node can be called.
async fn connected(net: &Net, node: NodeId) -> Result<()> {
    let connected = async {
        while !net.reaches(node, Lane::Bulk) {
            tokio::time::sleep(CONNECT_PAUSE).await;
        }
    };
    tokio::time::timeout(CONNECT_WITHIN, connected).await.map_err(|_| {
        Error::unavailable("it is not connected")
            .hint("nothing was deployed; deploy again when `embergrid cluster status` shows it down, or back")
    })
}

/// An empty file is one empty part.
fn parts(number: u64, path: &str, content: &Bytes) -> impl Iterator<Item = Part> {
    let starts = (0..content.len().max(1)).step_by(PART_BYTES);
    starts.map(move |start| {
        let end = content.len().min(start + PART_BYTES);
        Part { number, path: path.to_owned(), at: start as u64, bytes: Raw(content.slice(start..end)) }
    })
}

/// Answers other nodes that deploy.
pub(super) fn answer(grid: &Grid, most_bytes: usize) {
    let Some(net) = grid.net() else { return };
    let node = grid.downgrade();
    net.answer(move |from, part: Part| {
        let node = node.upgrade();
        async move { node?.inner.deploys.uploads.take(deploy_id(from, part.number), part, most_bytes) }
    });
    let node = grid.downgrade();
    net.answer(move |from, prepare: Prepare| {
        let node = node.upgrade();
        async move { prepare_here(&node?, from, prepare).await }
    });
    let node = grid.downgrade();
    net.answer(move |from, Settle { number, version }| {
        let node = node.upgrade();
        async move {
            let node = node?;
            // By then it is known whether the catalogue names what was loaded; a model that goes too early is loaded
            // again when it does.
            let _ = tokio::time::timeout(ADOPT_WITHIN, node.adopt(version)).await;
            node.settle(deploy_id(from, number));
            Ok(())
        }
    });
}

fn deploy_id(from: Peer, number: u64) -> DeployId {
    DeployId { node: from.node, incarnation: from.incarnation, number }
}

async fn prepare_here(node: &Grid, from: Peer, prepare: Prepare) -> Result<ModelVersion> {
    let deploy = deploy_id(from, prepare.number);
    let Prepare { name, version, manifest, model_file, .. } = prepare;
    let files = node.inner.deploys.uploads.files(deploy)?;
    node.try_model(deploy, Package { name, version, alias: None, manifest, model_file, files }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_file() {
        let content = Bytes::from((0..PART_BYTES + 5).map(|at| at as u8).collect::<Vec<_>>());
        let parts: Vec<Part> = parts(1, "model.onnx", &content).collect();
        assert_eq!(parts.iter().map(|part| part.at).collect::<Vec<_>>(), [0, PART_BYTES as u64]);
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.bytes.0.iter().copied()).collect();
        assert_eq!(whole, content);
        let empty: Vec<Part> = super::parts(1, "empty", &Bytes::new()).collect();
        assert_eq!((empty.len(), empty[0].bytes.0.len()), (1, 0));
    }
}
