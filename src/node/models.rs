//! The models that the catalogue names, loaded here before this node serves by it.

use crate::{
    catalog::{Catalogue, ModelVersion},
    control::Control,
    model::{self, Model},
    scoring::{Loaded, Models, format_of},
    types::{Error, Result},
};

/// What a model that was not tried here is assumed to cost until it has run, in nanoseconds a row.
const UNKNOWN_ROW_COST_NS: u64 = 10_000;

/// Loads every model of the catalogue that is not loaded: from the node's blobs, or from whichever node has its bytes.
pub(super) async fn load_missing(
    models: &Models,
    control: &Control,
    engine: &model::Options,
    catalogue: &Catalogue,
) -> Result<()> {
    for version in catalogue.model_versions() {
        if models.find(&version.digest).is_some() {
            continue;
        }
        let loaded = load(control, engine, version).await;
        let loaded = loaded
            .map_err(|error| error.within(format_args!("model {}@{}", version.name, version.version)))?;
        models.insert(version.digest, loaded);
    }
    Ok(())
}

async fn load(control: &Control, engine: &model::Options, version: &ModelVersion) -> Result<Loaded> {
    let bytes = control.fetch(version.digest).await?;
    let (engine, format) = (*engine, format_of(version.kind));
    let model = tokio::task::spawn_blocking(move || Model::load(&bytes, format, &engine))
        .await
        .map_err(|error| Error::internal(format!("loading failed: {error}")))??;
    Ok(Loaded::new(model, UNKNOWN_ROW_COST_NS))
}
