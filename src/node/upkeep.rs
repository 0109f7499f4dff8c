//! What a node does by the clock.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{grid::Grid, subscription::expire_lent, worker::Message};

/// How often workers are looked at for something due.
const WAKE_EVERY: Duration = Duration::from_millis(5);
/// How often idle subscribers are told how far they are.
const BOOKMARK_EVERY: Duration = Duration::from_secs(1);

/// Wakes workers that have something due.
pub(super) async fn wake_workers(grid: Grid) {
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

/// Tells idle subscribers how far they are.
pub(super) async fn bookmark(grid: Grid) {
    let shared = &grid.inner.shared;
    let mut ticks = interval(BOOKMARK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if shared.subscribers.len() > 0 {
            shared.broadcast(|| Message::Bookmark);
        }
        expire_lent(shared);
        shared.metrics.subscriptions().set(shared.subscribers.len() as u64);
        shared.metrics.sessions().set(grid.inner.sessions.len() as u64);
    }
}
