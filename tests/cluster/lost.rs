//! Partitions whose rows are gone.

use std::time::Duration;

use embergrid::{
    client::{Client, Options},
    node::Grid,
    types::{Class, Key},
};
use serde_json::{Value, json};

use crate::{
    node::PAYMENTS,
    nodes::{Cluster, options, soon},
};

const ROWS: i64 = 60;

fn lost(grid: &Grid) -> usize {
    grid.catalogue().configurations().iter().filter(|held| held.is_lost()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_answers_with_an_error_until_it_is_reset() {
    let alone = embergrid::node::Options { backup_count: 0, ..options() };
    let mut cluster = Cluster::found_with(3, alone).await;
    let client = cluster.client_of_all().await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let map = client.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": 1.0, "country": "DE"})).await.unwrap();
    }
    let gone = cluster.grid(2).me();
    let grid = cluster.grid(0);
    let is_gone = |id: &i64| grid.primary_of(grid.partition_of(&Key::from(*id))) == Some(gone);
    let (gone, kept): (Vec<i64>, Vec<i64>) = (0..ROWS).partition(is_gone);
    assert!(!gone.is_empty() && !kept.is_empty());
    cluster.kill(2);
    cluster.restart(2).await;
    cluster.wait_until("what only the restarted node had is lost", |grid| lost(grid) > 0).await;

    let mut impatient = Options::new([&cluster.nodes[0].address]);
    impatient.timeout = Duration::from_millis(500);
    let client = Client::with_options(impatient).await.unwrap();
    let status = client.status(false).await.unwrap();
    assert_eq!(status.totals.unwrap().lost as usize, lost(cluster.grid(0)));
    let map = client.map("payments").await.unwrap();
    let error = map.get::<Value>(gone[0]).await.unwrap_err();
    assert_eq!(error.class, Class::Unavailable, "{error}");
    assert!(error.message.contains("is lost"), "{error}");
    assert_eq!(map.size().await.unwrap_err().class, Class::Unavailable);
    assert!(map.get::<Value>(kept[0]).await.unwrap().is_some());

    let count = lost(cluster.grid(0));
    assert_eq!(client.reset_lost(false).await.unwrap() as usize, count);
    cluster.wait_until_healthy().await;
    let map = cluster.client(1).await.map("payments").await.unwrap();
    assert_eq!(soon(map.get::<Value>(gone[0])).await.unwrap(), None);
    assert_eq!(soon(map.size()).await.unwrap(), kept.len() as u64);
    soon(map.set(gone[0], &json!({"amount": 2.0, "country": "DE"}))).await.unwrap();
}
