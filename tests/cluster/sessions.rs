//! One client over several nodes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use embergrid::{
    client::{Client, EventKind, Map, Options, Subscribe},
    node::Grid,
    types::Key,
};
use serde_json::{Value, json};

use crate::{
    node::PAYMENTS,
    nodes::{Cluster, soon},
};

async fn payments(client: &Client) -> Map {
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    client.map("payments").await.unwrap()
}

fn row(amount: f64) -> Value {
    json!({"amount": amount, "country": "DE"})
}

fn sessions(grid: &Grid) -> u64 {
    grid.metrics().sessions().value()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_streams_to_all_nodes_and_ends_at_all_of_them() {
    let cluster = Cluster::found(3).await;
    // It is told of one node, and finds the others.
    let client = cluster.client(0).await;
    let map = payments(&client).await;
    for id in 0..50_i64 {
        soon(map.set(id, &row(1.0))).await.unwrap();
    }
    cluster.wait_until("a stream to each node", |grid| sessions(grid) == 1).await;
    drop((map, client));
    cluster.wait_until("no session", |grid| sessions(grid) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dropped_client_says_goodbye() {
    let cluster = Cluster::found(1).await;
    for _ in 0..100 {
        drop(cluster.client(0).await);
    }
    cluster.wait_until("no session", |grid| sessions(grid) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_address_keeps_nobody_waiting() {
    let cluster = Cluster::found(1).await;
    // Connections to it are taken, and nobody says a word.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [silent.local_addr().unwrap().to_string(), cluster.nodes[0].address.clone()];
    let patient = Options { connect_timeout: Duration::from_secs(3_600), ..Options::new(addresses) };
    let client = soon(Client::with_options(patient)).await.unwrap();
    assert!(soon(client.maps()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_takes_effect_once_although_its_primary_is_killed() {
    const CALLERS: i64 = 8;
    let mut cluster = Cluster::found(3).await;
    let client = cluster.client_of_all().await;
    let map = payments(&client).await;
    for id in 0..CALLERS {
        map.set(id, &row(0.0)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let callers = (0..CALLERS).map(|id| {
        let (map, stop) = (map.clone(), stop.clone());
        tokio::spawn(async move {
            let mut updates = 0_i64;
            while !stop.load(Ordering::SeqCst) {
                map.execute_on_key(id, "SET amount = amount + 1").await.unwrap();
                updates += 1;
            }
            updates
        })
    });
    let callers: Vec<_> = callers.collect();
    for victim in 0..2 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let gone = cluster.grid(victim).me();
        cluster.kill(victim);
        let grid = cluster.grid(2);
        soon(async {
            while grid.catalogue().configurations().iter().any(|held| held.primary_node() == Some(gone)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        cluster.restart(victim).await;
        cluster.wait_until_healthy().await;
    }
    stop.store(true, Ordering::SeqCst);
    for (id, caller) in (0..CALLERS).zip(callers) {
        let updates = soon(caller).await.unwrap();
        let row: Value = map.get(id).await.unwrap().unwrap();
        assert_eq!(row["amount"], json!(updates as f64), "the row {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_subscriptions_go_on_at_another_node() {
    let mut cluster = Cluster::found(3).await;
    // What is no operation goes to the node that it is told of.
    let client = cluster.client(0).await;
    let map = payments(&client).await;
    let mut events = map.subscribe(Subscribe::default()).await.unwrap();
    while soon(events.next()).await.unwrap().kind != EventKind::SnapshotEnd {}
    cluster.wait_until("a stream to each node", |grid| sessions(grid) == 1).await;
    cluster.kill(0);
    assert_eq!(soon(client.maps()).await.unwrap().len(), 1);
    for id in 0..50_i64 {
        soon(map.set(id, &row(1.0))).await.unwrap();
    }
    let mut keys = Vec::new();
    while keys.len() < 50 {
        let event = soon(events.next()).await.unwrap();
        if event.kind != EventKind::Bookmark {
            assert_eq!(event.kind, EventKind::Added);
            keys.extend(event.key);
        }
    }
    keys.sort();
    assert_eq!(keys, (0..50).map(Key::from).collect::<Vec<_>>());
}
