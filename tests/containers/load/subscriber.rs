//! One who follows a map, and goes away now and then to come back with its token.

use std::sync::Arc;
use std::time::Duration;

use embergrid::client::{Event, EventKind, Map, Subscribe};
use embergrid::types::Result;
use parking_lot::Mutex;

use super::book::{Book, Kind};
use super::feed::Feed;
use super::scored;
use crate::clock::now;
use crate::dice::Dice;

/// How long it stays and how long it is away at most, in milliseconds.
const STAYS_MS: u64 = 20_000;
const AWAY_MS: u64 = 1_500;

/// Follows until it is stopped from outside.
pub(super) async fn follow(map: Map, feed: Arc<Mutex<Feed>>, book: Arc<Book>, seed: u64) {
    let mut dice = Dice::new(seed);
    let mut token: Option<Arc<str>> = None;
    loop {
        let stays = Duration::from_millis(dice.between(STAYS_MS / 10, STAYS_MS));
        let left = visit(&map, &feed, &mut token, stays).await;
        book.note(format_args!("a subscription of {}", map.name()), Kind::Read, &left);
        tokio::time::sleep(Duration::from_millis(dice.below(AWAY_MS))).await;
    }
}

/// One subscription, from a token on if there is one. What came without a token behind it does not count: it will be told
/// again.
async fn visit(map: &Map, feed: &Mutex<Feed>, token: &mut Option<Arc<str>>, stays: Duration) -> Result<()> {
    let what = Subscribe { from: token.as_deref().map(str::to_owned), ..Subscribe::default() };
    let mut events = map.subscribe(what).await?;
    let (start, mut told) = (now(), Vec::new());
    loop {
        let event = events.next().await?;
        let next = event.token.clone();
        told.push(event);
        if next.is_some() {
            *token = next;
            let mut feed = feed.lock();
            told.drain(..).for_each(|event| take(&mut feed, event));
            if start.elapsed() > stays {
                return Ok(());
            }
        }
    }
}

fn take(feed: &mut Feed, event: Event) {
    match (event.kind, event.key, event.row) {
        (EventKind::Overrun, _, _) => feed.overrun(),
        (EventKind::SnapshotEnd | EventKind::Bookmark, _, _) => {}
        (kind, Some(key), Some(row)) => {
            let is_payment = row.columns().is_ok();
            let number = if is_payment { scored::number(&row) } else { 1 };
            feed.take(kind, key, event.version, number);
        }
        (kind, key, _) => feed.untold(format!("{kind:?} of {key:?} without its row")),
    }
}
