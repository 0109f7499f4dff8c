//! The bytes of models, from whichever node has them.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::group::Group;
use crate::{
    net::{Call, Lane, Net, Raw},
    types::{Digest, Error, NodeId, Result},
};

/// Bytes asked for at once.
const PART_BYTES: u64 = 8 << 20;
/// How long a part may take.
const PART: Duration = Duration::from_secs(30);

/// Asks for a part of a model's bytes.
#[derive(Serialize, Deserialize)]
struct Fetch {
    digest: Digest,
    offset: u64,
}

/// A part of a model's bytes; nothing from a node that does not have them.
#[derive(Serialize, Deserialize)]
struct Part {
    /// How many bytes there are in all.
    bytes: u64,
    part: Raw,
}

impl Call for Fetch {
    const NAME: &'static str = "control.fetch";
    const LANE: Lane = Lane::Bulk;
    type Answer = Option<Part>;
}

/// Hands out what is asked for from now on.
pub(super) fn answer(group: &Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, Fetch { digest, offset }| {
        group.belongs(from)?;
        let Some(bytes) = group.blobs.read(digest).await? else { return Ok(None) };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(PART_BYTES as usize).min(bytes.len());
        Ok(Some(Part { bytes: bytes.len() as u64, part: Raw(bytes.slice(start..end)) }))
    });
}

impl Group {
    /// The bytes of a model that the catalogue knows.
    pub(super) async fn fetch(&self, digest: Digest) -> Result<Bytes> {
        let catalogue = self.catalogue();
        let version = catalogue.model_versions().find(|version| version.digest == digest);
        let bytes = version.map(|version| version.bytes).ok_or_else(|| {
            Error::not_found(format!("the cluster has no model whose bytes have the digest {digest}"))
        })?;
        self.fetch_sized(digest, bytes).await
    }

    /// `bytes` bytes of this digest: from here, or from any node that has them; then they are here.
    pub(super) async fn fetch_sized(&self, digest: Digest, bytes: u64) -> Result<Bytes> {
        match self.blobs.read(digest).await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            // What is damaged here is fetched anew.
            Err(error) => tracing::warn!("{error}"),
        }
        let mut why = Error::unavailable("no other node is connected");
        for node in self.fellows() {
            match self.fetch_from(node, digest, bytes).await {
                Ok(found) => {
                    self.blobs.put(found.clone()).await?;
                    return Ok(found);
                }
                Err(error) => why = error,
            }
        }
        Err(why.within(format_args!("the model file {digest} is not on this node")))
    }

    fn fellows(&self) -> Vec<NodeId> {
        let cluster = self.cluster();
        self.seen().into_iter().filter(|(_, of)| *of == cluster).map(|(node, _)| node).collect()
    }

    async fn fetch_from(&self, node: NodeId, digest: Digest, bytes: u64) -> Result<Bytes> {
        let Some(net) = &self.net else { return Err(Error::unavailable("this node has no peers")) };
        let mut found = BytesMut::new();
        while (found.len() as u64) < bytes || found.is_empty() {
            let fetch = Fetch { digest, offset: found.len() as u64 };
            let answer = net.call(node, &fetch, PART).await?;
            let Part { bytes: total, part: Raw(part) } =
                answer.ok_or_else(|| Error::not_found(format!("node {node} does not have it either")))?;
            if total != bytes || part.is_empty() || (found.len() + part.len()) as u64 > bytes {
                return Err(Error::internal(format!(
                    "node {node} has {total} bytes of it, where {bytes} were expected"
                )));
            }
            found.extend_from_slice(&part);
        }
        if Digest::of(&found) != digest {
            return Err(Error::internal(format!("what node {node} sent is damaged")));
        }
        Ok(found.freeze())
    }
}
