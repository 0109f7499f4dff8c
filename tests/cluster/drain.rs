//! Nodes that leave in good order, and roles that move so that all carry as much as each other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use embergrid::{
    client::Client,
    node::{Burden, Grid, Options},
    types::NodeId,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    node::PAYMENTS,
    nodes::{Cluster, options, soon},
};

/// Writes one key after the other until it is told to stop; says how many writes were acknowledged, and in what each of
/// the others ended.
struct Load {
    enough: Arc<AtomicBool>,
    writing: JoinHandle<(i64, Vec<String>)>,
}

impl Load {
    fn start(client: Client) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let writing = tokio::spawn(async move {
            let map = client.map("payments").await.unwrap();
            let (mut written, mut refused) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                match map.set(written, &json!({"amount": written as f64, "country": "DE"})).await {
                    Ok(_) => written += 1,
                    Err(error) => refused.push(error.to_string()),
                }
            }
            (written, refused)
        });
        Load { enough, writing }
    }

    /// How many keys were written, from 0 on.
    async fn end(self) -> i64 {
        self.enough.store(true, Ordering::Relaxed);
        let (written, refused) = soon(self.writing).await.unwrap();
        assert_eq!(refused, Vec::<String>::new());
        written
    }
}

async fn loaded() -> (Cluster, Load) {
    let cluster = Cluster::found_with(3, Options { backup_count: 1, ..options() }).await;
    let client = cluster.client_of_all().await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let load = Load::start(client);
    (cluster, load)
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
    let (mut cluster, load) = loaded().await;
    let node = cluster.grid(2).me();
    soon(cluster.grid(0).drain(node)).await.unwrap();
    cluster.wait_until("drained", |grid| grid.catalogue().is_safe_to_stop(node)).await;
    let nothing = Burden { primaries: 0, backups: 0 };
    cluster.wait_until("nothing is left", |grid| Burden::of(node, &grid.catalogue()) == nothing).await;
    cluster.kill(2);
    let client = cluster.client(0).await;
    let written = load.end().await;
    assert!(written > 0);
    soon(read_all(&client, written)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_gives_away_what_it_holds_and_says_goodbye() {
    let (mut cluster, load) = loaded().await;
    let leaving = cluster.grid(1).clone();
    let node = leaving.me();
    let mut told = Vec::new();
    soon(leaving.leave(Duration::from_secs(60), |burden| told.push(burden))).await;
    assert!(told.first().is_some_and(|burden| burden.primaries > 0), "{told:?}");
    assert_eq!(Burden::of(node, &leaving.catalogue()), Burden { primaries: 0, backups: 0 });
    drop(leaving);
    cluster.kill(1);
    let written = load.end().await;
    soon(read_all(&cluster.client(2).await, written)).await;
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
    let (mut cluster, load) = loaded().await;
    let node = cluster.grid(0).me();
    cluster.kill(0);
    cluster.wait_until("the others lead", |grid| primaries(grid, node) == 0).await;
    cluster.restart(0).await;
    cluster.wait_until("it leads its share", |grid| matches!(primaries(grid, node), 4 | 5)).await;
    cluster.wait_until_healthy().await;
    let written = load.end().await;
    soon(read_all(&cluster.client_of_all().await, written)).await;
}
