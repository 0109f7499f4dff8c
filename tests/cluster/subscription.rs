//! Subscriptions over the SDK.

use embergrid::{
    client::{Event, EventKind, Subscribe, Subscription},
    types::{Class, Key},
};
use serde_json::json;

use crate::node;

/// The next event that is no bookmark.
async fn next(events: &mut Subscription) -> Event {
    loop {
        let event = events.next().await.unwrap();
        if event.kind != EventKind::Bookmark {
            return event;
        }
    }
}

fn told(event: &Event) -> (EventKind, Option<Key>) {
    (event.kind, event.key.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_then_changes_and_resuming_misses_nothing() {
    let node = node::start().await;
    let map = node.payments().await;
    let row = |amount: f64| json!({"amount": amount, "country": "DE"});
    for id in 0..10_i64 {
        map.set(id, &row(id as f64)).await.unwrap();
    }
    let what = Subscribe { predicate: Some("amount >= 8".into()), token_each: true, ..Default::default() };
    let mut events = map.subscribe(what.clone()).await.unwrap();
    let mut snapshot = [next(&mut events).await, next(&mut events).await];
    snapshot.sort_by_key(|event| event.key.clone());
    assert_eq!(
        snapshot.iter().map(told).collect::<Vec<_>>(),
        [(EventKind::Snapshot, Some(Key::from(8))), (EventKind::Snapshot, Some(Key::from(9)))]
    );
    assert_eq!(next(&mut events).await.kind, EventKind::SnapshotEnd);

    map.set(3, &row(30.0)).await.unwrap();
    let added = next(&mut events).await;
    assert_eq!(told(&added), (EventKind::Added, Some(Key::from(3))));
    assert_eq!(added.row.unwrap().columns().unwrap().f64(0), Some(30.0));
    map.set(3, &row(31.0)).await.unwrap();
    let updated = next(&mut events).await;
    assert_eq!(told(&updated), (EventKind::Updated, Some(Key::from(3))));
    let token = updated.token.unwrap().to_string();
    drop(events);

    map.set(3, &row(1.0)).await.unwrap();
    map.remove(9).await.unwrap();
    map.set(4, &row(2.0)).await.unwrap();
    let mut resumed = map.subscribe(Subscribe { from: Some(token.clone()), ..what }).await.unwrap();
    let mut removed = [next(&mut resumed).await, next(&mut resumed).await];
    removed.sort_by_key(|event| event.key.clone());
    assert_eq!(
        removed.iter().map(told).collect::<Vec<_>>(),
        [(EventKind::Removed, Some(Key::from(3))), (EventKind::Removed, Some(Key::from(9)))]
    );

    let other = Subscribe { from: Some(token), ..Default::default() };
    assert_eq!(map.subscribe(other).await.unwrap_err().class, Class::Invalid);
    let wrong = Subscribe { predicate: Some("amout > 1".into()), ..Default::default() };
    assert_eq!(map.subscribe(wrong).await.unwrap_err().hint.as_deref(), Some("did you mean `amount`?"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_although_subscribers_and_sessions_are_there() {
    let node = node::start().await;
    let map = node.payments().await;
    let mut events = map.subscribe(Subscribe::default()).await.unwrap();
    assert_eq!(next(&mut events).await.kind, EventKind::SnapshotEnd);
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(2), node.stop()).await;
    assert!(stopped.is_ok(), "the server waits for its clients");
}
