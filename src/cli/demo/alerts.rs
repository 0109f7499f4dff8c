//! A subscriber to what looks like fraud.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    bundle::SCORE,
    live::Live,
    marks::Marks,
    stream::{MOST_PAYMENTS, id},
};
use crate::{
    cli::clock::now,
    client::{Event, EventKind, Map, Row, Subscribe, Subscription},
    row::Scalar,
    types::Result,
};

/// A payment above this is an alert.
pub(super) const THRESHOLD: f64 = 0.9;
/// Alerts are shown no more often than this.
const SHOWN_EVERY: Duration = Duration::from_millis(400);

/// The alerts that a subscription brought.
#[derive(Debug)]
pub(super) struct Alerts {
    pub(super) seen: Marks,
    /// Alerts that came again.
    pub(super) twice: AtomicU64,
}

impl Alerts {
    /// Subscribes, and listens in the background as long as the runtime lives.
    pub(super) async fn listen(map: &Map, live: Live) -> Result<Arc<Self>> {
        let what = Subscribe {
            predicate: Some(format!("{SCORE} > {THRESHOLD}")),
            no_snapshot: true,
            ..Subscribe::default()
        };
        let events = map.subscribe(what).await?;
        let alerts = Arc::new(Alerts { seen: Marks::below(MOST_PAYMENTS + 1), twice: AtomicU64::new(0) });
        tokio::spawn(Arc::clone(&alerts).take(events, live));
        Ok(alerts)
    }

    async fn take(self: Arc<Self>, mut events: Subscription, live: Live) {
        let mut shown: Option<Instant> = None;
        loop {
            let event = match events.next().await {
                Ok(event) => event,
                Err(error) => return live.say(format_args!("the subscription ended: {}", error.message)),
            };
            self.count(&event);
            let Some(row) = event.row.filter(|_| event.kind == EventKind::Added) else { continue };
            if shown.is_none_or(|last| last.elapsed() >= SHOWN_EVERY) {
                shown = Some(now());
                live.say(format_args!("alert  {}", describe(&row)));
            }
        }
    }

    fn count(&self, event: &Event) {
        let Some(id) = event.key.as_ref().map(id) else { return };
        // After an overrun a snapshot brings alerts again: that is no alert twice.
        if !self.seen.mark(id) && event.kind == EventKind::Added {
            self.twice.fetch_add(1, Relaxed);
        }
    }

    /// Waits until all of `expected` alerts are there, or none has come for a while.
    pub(super) async fn settle(&self, expected: u64) {
        const PATIENCE: Duration = Duration::from_secs(3);
        let (mut seen, mut since) = (self.seen.count(), now());
        while seen < expected && since.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let fresh = self.seen.count();
            if fresh != seen {
                (seen, since) = (fresh, now());
            }
        }
    }
}

fn describe(row: &Row) -> String {
    let Ok(columns) = row.columns() else { return String::new() };
    let shown = |name: &str| match columns.schema().column(name).map(|at| columns.value(at)) {
        Some(Scalar::Str(text)) => text.to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    format!("{} pays {} in {}: {SCORE} {}", shown("card"), shown("amount"), shown("country"), shown(SCORE))
}
