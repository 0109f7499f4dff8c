//! What a node does by the clock and when its catalogue changes.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{grid::Grid, worker::Message};
use crate::{partition::View, types::Result};

/// How often workers are looked at for something due.
const WAKE_EVERY: Duration = Duration::from_millis(5);
/// How long a sole replica may serve after the control leader confirmed it (protocol rule 14).
const LEASE_US: u64 = 2_000_000;
/// How often the lease is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(250);
/// How often idle subscribers are told how far they are, and abandoned sessions are looked for.
const BOOKMARK_EVERY: Duration = Duration::from_secs(1);

/// Starts the node's recurring work; returns once the first lease stands.
pub(super) async fn start(
    grid: &Grid,
    view: watch::Sender<Arc<View>>,
    tasks: &mut JoinSet<()>,
) -> Result<()> {
    renew_lease(grid).await?;
    tasks.spawn(keep_lease(grid.clone()));
    tasks.spawn(wake_workers(grid.clone()));
    tasks.spawn(bookmark(grid.clone()));
    tasks.spawn(follow_catalogue(grid.clone(), view));
    Ok(())
}

/// Asks the control leader to confirm its quorum; only then does the lease count, from before the question.
async fn renew_lease(grid: &Grid) -> Result<()> {
    let asked_us = grid.mono_us();
    grid.inner.control.confirm_quorum().await?;
    grid.inner.shared.broadcast(|| Message::Lease { until_us: asked_us + LEASE_US });
    Ok(())
}

async fn keep_lease(grid: Grid) {
    let mut ticks = interval(RENEW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = renew_lease(&grid).await {
            tracing::warn!(%error, "the lease was not renewed");
        }
    }
}

async fn wake_workers(grid: Grid) {
    let shared = &grid.inner.shared;
    let mut ticks = interval(WAKE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now_us = grid.mono_us();
        for (number, status) in shared.status.iter().enumerate() {
            if status.deadline_us.load(Ordering::Relaxed) <= now_us {
                shared.post_to(number, Message::Tick);
            }
        }
    }
}

async fn bookmark(grid: Grid) {
    let shared = &grid.inner.shared;
    let mut ticks = interval(BOOKMARK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if shared.subscribers.len() > 0 {
            shared.broadcast(|| Message::Bookmark);
        }
        for session in grid.inner.sessions.expire(grid.mono_us()) {
            shared.broadcast(|| Message::EndSession(session));
        }
        shared.metrics.subscriptions().set(shared.subscribers.len() as u64);
        shared.metrics.sessions().set(grid.inner.sessions.len() as u64);
    }
}

/// Compiles each version of the catalogue and lets every partition cut over to it.
async fn follow_catalogue(grid: Grid, view: watch::Sender<Arc<View>>) {
    let mut catalogue = grid.inner.catalogue.clone();
    loop {
        let latest = catalogue.borrow_and_update().clone();
        if latest.version > view.borrow().version {
            match View::compile(&latest) {
                Ok(compiled) => adopt(&grid, Arc::new(compiled), &view).await,
                Err(error) => {
                    tracing::error!(%error, version = %latest.version, "the catalogue does not compile")
                }
            }
        }
        if catalogue.changed().await.is_err() {
            return;
        }
    }
}

/// The servers see the view only when all partitions have it: what they admit by it finds it there.
async fn adopt(grid: &Grid, compiled: Arc<View>, view: &watch::Sender<Arc<View>>) {
    let shared = &grid.inner.shared;
    shared.broadcast(|| Message::View(compiled.clone()));
    shared.adopted(compiled.version).await;
    view.send_replace(compiled);
}
