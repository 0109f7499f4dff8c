//! Nodes that leave in good order, and roles that move so that all carry as much as each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use embergrid::{
    client::{Client, Map},
    node::{Burden, Grid, Options},
    types::NodeId,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    node::PAYMENTS,
    nodes::{Cluster, options, soon},
};

/// How many keys are written, over and over.
const KEYS: i64 = 400;

/// Something that goes on until it is told to stop.
struct Load<T> {
    enough: Arc<AtomicBool>,
    running: JoinHandle<T>,
}

impl<T: Send + 'static> Load<T> {
    fn start<F: Future<Output = T> + Send + 'static>(run: impl FnOnce(Arc<AtomicBool>) -> F) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        Load { running: tokio::spawn(run(Arc::clone(&enough))), enough }
    }

    async fn end(self) -> T {
        self.enough.store(true, Ordering::Relaxed);
        soon(self.running).await.unwrap()
    }
}

/// Writes one key after the other, over and over; says how many were written. Nothing may be refused.
fn write(map: Map) -> Load<i64> {
    Load::start(async move |enough| {
        let mut written = 0;
        while !enough.load(Ordering::Relaxed) {
            let id = written % KEYS;
            map.set(id, &json!({"amount": id as f64, "country": "DE"})).await.unwrap();
            written += 1;
        }
        written.min(KEYS)
    })
}

/// Reads and counts all rows, over and over, while their number grows.
fn read(map: Map) -> Load<()> {
    Load::start(async move |enough| {
        let mut seen = 0;
        while !enough.load(Ordering::Relaxed) {
            let found = map.query("", None).await.unwrap().all().await.unwrap().len() as u64;
            let counted = map.size().await.unwrap();
            assert!(seen <= found && found <= counted, "{seen} rows, then {found}, then {counted}");
            seen = counted;
        }
    })
}

async fn cluster() -> (Cluster, Client, Map) {
    let cluster = Cluster::found_with(3, Options { backup_count: 1, ..options() }).await;
    let client = cluster.client_of_all().await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let map = client.map("payments").await.unwrap();
    (cluster, client, map)
}

async fn read_all(client: &Client, written: i64) {
    let map = client.map("payments").await.unwrap();
    for id in 0..written {
        let row: Value = map.get(id).await.unwrap().unwrap_or_else(|| panic!("row {id} is lost"));
        assert_eq!(row["amount"], json!(id as f64));
    }
}

fn primaries(grid: &Grid, node: NodeId) -> usize {
    Burden::of(node, &grid.catalogue()).primaries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_is_stopped_and_no_write_is_refused() {
    let (mut cluster, client, map) = cluster().await;
    let (writing, reading) = (write(map.clone()), read(map));
    let node = cluster.grid(2).me();
    soon(cluster.grid(0).drain(node)).await.unwrap();
    cluster.wait_until("drained", |grid| grid.catalogue().is_safe_to_stop(node)).await;
    let nothing = Burden { primaries: 0, backups: 0 };
    cluster.wait_until("nothing is left", |grid| Burden::of(node, &grid.catalogue()) == nothing).await;
    // A query ends with the node that answers it.
    reading.end().await;
    cluster.kill(2);
    let written = writing.end().await;
    assert!(written > 0);
    soon(read_all(&client, written)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_gives_away_what_it_holds_and_says_goodbye() {
    let (mut cluster, client, map) = cluster().await;
    let (writing, reading) = (write(map.clone()), read(map));
    let leaving = cluster.grid(1).clone();
    let node = leaving.me();
    let mut told = Vec::new();
    soon(leaving.leave(Duration::from_secs(60), |burden| told.push(burden))).await;
    assert!(told.first().is_some_and(|burden| burden.primaries > 0), "{told:?}");
    assert_eq!(Burden::of(node, &leaving.catalogue()), Burden { primaries: 0, backups: 0 });
    drop(leaving);
    reading.end().await;
    cluster.kill(1);
    let written = writing.end().await;
    soon(read_all(&client, written)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_alone_leaves_at_once() {
    let cluster = Cluster::found(1).await;
    let mut told = 0;
    soon(cluster.grid(0).leave(Duration::from_secs(60), |_| told += 1)).await;
    assert_eq!(told, 0);
    assert!(cluster.grid(0).is_ready(), "it was not taken out of anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_come_back_to_a_node_that_returns() {
    let (mut cluster, client, map) = cluster().await;
    let writing = write(map.clone());
    let node = cluster.grid(0).me();
    cluster.kill(0);
    cluster.wait_until("the others lead", |grid| primaries(grid, node) == 0).await;
    let reading = read(map);
    cluster.restart(0).await;
    cluster.wait_until("it leads its share", |grid| matches!(primaries(grid, node), 4 | 5)).await;
    cluster.wait_until_healthy().await;
    reading.end().await;
    let written = writing.end().await;
    soon(read_all(&client, written)).await;
}
