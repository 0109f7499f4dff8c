//! Maps, models, bindings and the cluster itself.

use bytes::Bytes;

use super::{Binding, Client, Description, channel};
use crate::{
    types::Result,
    wire::v1::{self, deploy_request::Part},
};

/// How much of a file goes into one message.
const PIECE_BYTES: usize = 1 << 20;

/// A model version to upload: the files of its folder.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// The model's name.
    pub name: String,
    /// Its version; none: the manifest's, or the next.
    pub version: Option<u32>,
    /// An alias that names it from then on.
    pub alias: Option<String>,
    /// The manifest's text.
    pub manifest: Option<String>,
    /// Which of the files is the model.
    pub model_file: String,
    /// Path within the folder, and content.
    pub files: Vec<(String, Bytes)>,
}

impl Client {
    /// Creates a map: a feature map by the text of a schema file, or a plain one.
    pub async fn create_map(&self, name: &str, schema: Option<&str>) -> Result<Description> {
        let request =
            v1::CreateMapRequest { name: name.to_string(), schema: schema.map(ToString::to_string) };
        let created = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).create_map(request).await }
        });
        Description::new(created.await?)
    }

    /// Drops a map and its rows.
    pub async fn drop_map(&self, name: &str) -> Result<()> {
        let request = v1::DropMapRequest { name: name.to_string() };
        let dropped = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).drop_map(request).await }
        });
        dropped.await.map(drop)
    }

    /// All maps.
    pub async fn maps(&self) -> Result<Vec<Description>> {
        let listed = self
            .ask(|channel| async move { channel::admin(channel).list_maps(v1::ListMapsRequest {}).await });
        listed.await?.maps.into_iter().map(Description::new).collect()
    }

    /// One map.
    pub async fn describe(&self, name: &str) -> Result<Description> {
        let request = v1::DescribeMapRequest { name: name.to_string() };
        let described = self.ask(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).describe_map(request).await }
        });
        Description::new(described.await?)
    }

    /// Uploads a model. It serves only after every check has passed on every node.
    pub async fn deploy(&self, model: Deployment) -> Result<v1::DeployReply> {
        let head = v1::DeployHead {
            name: model.name,
            version: model.version,
            alias: model.alias,
            manifest: model.manifest,
            model_file: model.model_file,
        };
        let deployed = self.tell(|channel| {
            let head = std::iter::once(Part::Head(head.clone()));
            let files = model.files.clone();
            let pieces = files.into_iter().flat_map(|(path, content)| pieces(path, content));
            let parts = head.chain(pieces).map(|part| v1::DeployRequest { part: Some(part) });
            async move { channel::admin(channel).deploy(tokio_stream::iter(parts)).await }
        });
        deployed.await
    }

    /// All models.
    pub async fn models(&self) -> Result<Vec<v1::ModelDescription>> {
        let listed =
            self.ask(
                |channel| async move { channel::admin(channel).list_models(v1::ListModelsRequest {}).await },
            );
        Ok(listed.await?.models)
    }

    /// One model.
    pub async fn model(&self, name: &str) -> Result<v1::ModelDescription> {
        let request = v1::DescribeModelRequest { name: name.to_string() };
        let described = self.ask(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).describe_model(request).await }
        });
        described.await
    }

    /// Moves a model's alias to a version.
    pub async fn set_alias(&self, model: &str, alias: &str, version: u32) -> Result<v1::ModelDescription> {
        let request = v1::SetAliasRequest { model: model.to_string(), alias: alias.to_string(), version };
        let moved = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).set_alias(request).await }
        });
        moved.await
    }

    /// Applies the text of a binding file; gives the binding and how many stored rows it has not scored.
    pub async fn apply_binding(&self, definition: &str) -> Result<(Binding, u64)> {
        let request = v1::ApplyBindingRequest { definition: definition.to_string() };
        let applied = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).apply_binding(request).await }
        });
        let reply = applied.await?;
        Ok((Binding::new(reply.binding.unwrap_or_default()), reply.unscored))
    }

    /// All bindings.
    pub async fn bindings(&self) -> Result<Vec<Binding>> {
        let listed = self.ask(|channel| async move {
            channel::admin(channel).list_bindings(v1::ListBindingsRequest {}).await
        });
        Ok(listed.await?.bindings.into_iter().map(Binding::new).collect())
    }

    /// Deletes a binding; the scores that it stored stay.
    pub async fn delete_binding(&self, name: &str) -> Result<()> {
        let request = v1::DeleteBindingRequest { name: name.to_string() };
        let deleted = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).delete_binding(request).await }
        });
        deleted.await.map(drop)
    }

    /// The cluster's state, of each partition too if asked.
    pub async fn status(&self, partitions: bool) -> Result<v1::StatusReply> {
        let told = self.ask(|channel| async move {
            channel::admin(channel).status(v1::StatusRequest { partitions }).await
        });
        told.await
    }

    /// Gives up the rows of lost partitions, and, if asked, of those whose nodes are silent; says how many began anew.
    pub async fn reset_lost(&self, unavailable: bool) -> Result<u32> {
        let reset = self.tell(|channel| async move {
            channel::admin(channel).reset_lost(v1::ResetLostRequest { unavailable }).await
        });
        Ok(reset.await?.partitions)
    }

    /// Has others take over what a node holds, for as long as it runs; the node is named by its id or its name. The
    /// status says when it is drained. Gives the node's id.
    pub async fn drain_node(&self, node: &str) -> Result<String> {
        let request = v1::DrainNodeRequest { node: node.to_owned() };
        let drained = self.tell(|channel| {
            let request = request.clone();
            async move { channel::admin(channel).drain_node(request).await }
        });
        Ok(drained.await?.id)
    }
}

/// An empty file is one empty piece.
fn pieces(path: String, content: Bytes) -> impl Iterator<Item = Part> {
    let starts = (0..content.len().max(1)).step_by(PIECE_BYTES);
    starts.map(move |start| {
        let end = content.len().min(start + PIECE_BYTES);
        Part::File(v1::FilePiece { path: path.clone(), data: content.slice(start..end) })
    })
}
