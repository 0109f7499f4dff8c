//! Connections that break, and nodes that are not there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use embergrid::{
    client::{Client, EventKind, Options, Subscribe},
    server::Server,
    types::Class,
};
use serde_json::{Value, json};

use crate::{node, proxy::Proxy};

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_answer_was_lost_takes_effect_once() {
    const CALLERS: i64 = 8;
    let node = node::start().await;
    let proxy = Proxy::start(&node.address).await;
    node.payments().await.set(1, &json!({"amount": 0.0, "country": "DE"})).await.unwrap();
    let map = Client::connect(&proxy.address).await.unwrap().map("payments").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|_| {
        let (map, stop) = (map.clone(), stop.clone());
        tokio::spawn(async move {
            let mut updates = 0_i64;
            while !stop.load(Ordering::SeqCst) {
                map.execute_on_key(1, "SET amount = amount + 1").await.unwrap();
                updates += 1;
            }
            updates
        })
    });
    let callers: Vec<_> = callers.collect();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        proxy.cut().await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut updates = 0;
    for caller in callers {
        updates += caller.await.unwrap();
    }
    let row: Value = node.client().await.map("payments").await.unwrap().get(1).await.unwrap().unwrap();
    assert_eq!(row["amount"], json!(updates as f64));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_on_after_its_connection_broke() {
    let node = node::start().await;
    let map = node.payments().await;
    let mut events = map.subscribe(Subscribe::default()).await.unwrap();
    assert_eq!(events.next().await.unwrap().kind, EventKind::SnapshotEnd);
    let node = node.interrupt().await;
    for id in 0..50_i64 {
        map.set(id, &json!({"amount": 1.0, "country": "DE"})).await.unwrap();
    }
    let mut keys = Vec::new();
    while keys.len() < 50 {
        let event = events.next().await.unwrap();
        if event.kind != EventKind::Bookmark {
            assert_eq!(event.kind, EventKind::Added);
            keys.extend(event.key);
        }
    }
    keys.sort();
    assert_eq!(keys, (0..50).map(embergrid::types::Key::from).collect::<Vec<_>>());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_there_is_said_to_be_unreachable() {
    let node = node::start().await;
    let address = node.address.clone();
    let mut options = Options::new([&address]);
    options.timeout = Duration::from_millis(50);
    let client = Client::with_options(options).await.unwrap();
    client.create_map("blobs", None).await.unwrap();
    let map = client.map("blobs").await.unwrap();
    node.stop().await;

    let error = map.get_raw("k").await.unwrap_err();
    assert_eq!(error.class, Class::Unavailable, "{error}");
    let error = Client::connect(&address).await.unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
    assert!(error.message.starts_with(&format!("cannot reach {address}: ")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let node = node::start().await;
    let error = Server::bind(&node.address).await.unwrap_err();
    assert_eq!(error.message, format!("the address {} is in use", node.address));
    node.stop().await;
}
