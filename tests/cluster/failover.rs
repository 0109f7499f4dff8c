//! Several nodes: what is acknowledged survives one of them.

use embergrid::{client::Client, types::Key};
use serde_json::{Value, json};

use crate::{
    node::PAYMENTS,
    nodes::{Cluster, soon},
};

const ROWS: i64 = 200;

async fn fill(client: &Client) {
    let map = client.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": id as f64, "country": "DE"})).await.unwrap();
    }
}

async fn read_all(client: &Client) {
    let map = client.map("payments").await.unwrap();
    for id in 0..ROWS {
        let row: Value = map.get(id).await.unwrap().unwrap_or_else(|| panic!("row {id} is lost"));
        assert_eq!(row["amount"], json!(id as f64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_found_a_cluster_and_each_serves_every_row() {
    let cluster = Cluster::found(3).await;
    cluster.client(0).await.create_map("payments", Some(PAYMENTS)).await.unwrap();
    soon(fill(&cluster.client(1).await)).await;
    for node in 0..3 {
        soon(read_all(&cluster.client(node).await)).await;
    }
    let primaries: std::collections::BTreeSet<_> =
        cluster.grid(0).catalogue().configurations().iter().map(|held| held.primary_node()).collect();
    assert_eq!(primaries.len(), 3, "every node is the primary of some partitions");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_survive_a_killed_node_which_comes_back() {
    let mut cluster = Cluster::found(3).await;
    let client = cluster.client_of_all().await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    soon(fill(&client)).await;
    for victim in 0..3 {
        cluster.kill(victim);
        soon(read_all(&client)).await;
        soon(fill(&client)).await;
        cluster.restart(victim).await;
        cluster.wait_until_healthy().await;
        soon(read_all(&client)).await;
    }
    let size = client.map("payments").await.unwrap().size().await.unwrap();
    assert_eq!(size, ROWS as u64);
    let key = Key::from(1_i64);
    assert!(client.map("payments").await.unwrap().contains_key(key).await.unwrap());
}
