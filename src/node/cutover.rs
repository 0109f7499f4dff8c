//! From a version of the catalogue to partitions that live by it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{grid::Grid, models, worker::Message};
use crate::{
    catalog::Catalogue,
    net::{Call, Net},
    partition::View,
    types::{CatalogueVersion, Error, Result},
};

/// How long to wait before models that could not be had are asked for again.
const MODELS_PAUSE: Duration = Duration::from_millis(500);
/// How long another node may take to cut over before it is no longer waited for.
const OTHERS_PATIENCE: Duration = Duration::from_secs(2);

/// Compiles each version of the catalogue and lets every partition cut over to it.
pub(super) async fn follow(grid: Grid, view: watch::Sender<Arc<View>>) {
    let mut catalogue = grid.inner.catalogue.clone();
    loop {
        let latest = catalogue.borrow_and_update().clone();
        let mut is_behind = false;
        if latest.version > view.borrow().version
            && let Err(error) = cut_over(&grid, &latest, &view).await
        {
            tracing::error!(%error, version = %latest.version, "this node cannot follow the catalogue");
            is_behind = true;
        }
        tokio::select! {
            changed = catalogue.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = sleep(MODELS_PAUSE), if is_behind => {}
        }
    }
}

/// The servers see the view only when all partitions have it: what they admit by it finds it there. What scores by it is
/// loaded before.
async fn cut_over(grid: &Grid, catalogue: &Catalogue, view: &watch::Sender<Arc<View>>) -> Result<()> {
    let (shared, engine) = (&grid.inner.shared, &grid.inner.options.engine);
    models::load_missing(&shared.models, &grid.inner.control, engine, catalogue).await?;
    let compiled = Arc::new(View::compile(catalogue)?);
    shared.broadcast(|| Message::View(compiled.clone()));
    shared.adopted(compiled.version).await;
    view.send_replace(compiled);
    Ok(())
}

/// Asks a node to say when it has cut over.
#[derive(Serialize, Deserialize)]
struct AwaitView {
    version: CatalogueVersion,
}

impl Call for AwaitView {
    const NAME: &'static str = "node.await_view";
    type Answer = ();
}

/// Answers other nodes that wait for this one.
pub(super) fn answer(grid: &Grid, net: &Net) {
    let view = grid.inner.view.clone();
    net.answer(move |_, AwaitView { version }| {
        let view = view.clone();
        async move { reached(view, version).await }
    });
}

/// Returns when this node's partitions have cut over.
pub(super) async fn reached(mut view: watch::Receiver<Arc<View>>, version: CatalogueVersion) -> Result<()> {
    let there = view.wait_for(|view| view.version >= version).await;
    there.map(drop).map_err(|_| Error::unavailable("the node is shutting down"))
}

/// Waits, for a moment, until the other nodes have cut over too: who changes the metadata through one node finds it at
/// every other. One that is late is not waited for; it refuses what it does not know yet.
pub(super) async fn others_reached(grid: &Grid, version: CatalogueVersion) {
    let Some(net) = grid.net() else { return };
    let asked = grid.peers(false).into_iter().map(|node| {
        let net = net.clone();
        async move {
            if let Err(error) = net.call(node, &AwaitView { version }, OTHERS_PATIENCE).await {
                tracing::debug!(%node, %error, "a node is late to cut over");
            }
        }
    });
    asked.collect::<JoinSet<()>>().join_all().await;
}
