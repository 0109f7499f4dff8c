//! A job over several nodes, one of which is killed while it runs: every row is scored all the same, and counted once.

use embergrid::{
    client::{Client, Map},
    node::Grid,
    types::{JobId, Key},
    wire::v1::JobDescription,
};
use serde_json::Value;

use crate::{
    nodes::{Cluster, soon},
    scoring::{model, patients, text},
};

const BINDING: &str = "screening-malignant";

/// Stores so many times the 569 patients.
async fn store(map: &Map, times: i64) -> Vec<Key> {
    let patients = patients();
    let copy = |n: i64| patients.iter().map(move |(id, row)| (Key::from(n * 1_000_000 + id), row));
    let rows: Vec<(Key, &Value)> = (0..times).flat_map(copy).collect();
    for some in rows.chunks(500) {
        let puts = map.put_all(some.iter().map(|(key, row)| (key.clone(), *row))).await.unwrap();
        puts.into_iter().for_each(|put| drop(put.unwrap()));
    }
    rows.into_iter().map(|(key, _)| key).collect()
}

async fn over(client: &Client, job: u32) -> JobDescription {
    soon(async {
        loop {
            // Whoever is asked may just have been killed.
            if let Ok(job) = client.job(job).await
                && job.state != "running"
            {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}

/// The row's score, and the job that gave it.
fn score(cluster: &Cluster, key: &Key) -> (Option<f32>, Option<JobId>) {
    let living = || cluster.nodes.iter().filter_map(|node| node.living());
    let partition = living().next().expect("somebody lives").partition_of(key);
    let primary: &Grid = living().find(|grid| grid.is_here(partition)).expect("it has a primary");
    let catalogue = primary.catalogue();
    let map = catalogue.map("screening").unwrap();
    let record = primary.read(partition, map.id, key).unwrap().expect("the row is there");
    let schema = map.schema().unwrap();
    let row = embergrid::row::RowRef::trusted(schema, record.value()).unwrap();
    let job = record.lineage().next().and_then(|from| from.job);
    (row.f32(schema.column("malignant").unwrap()), job)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_killed_node_and_counts_every_row_once() {
    let mut cluster = Cluster::found(3).await;
    cluster.wait_until_healthy().await;
    let client = cluster.client(0).await;
    client.create_map("screening", Some(&text("cluster/screening.schema.toml"))).await.unwrap();
    soon(client.deploy(model())).await.unwrap();
    let keys = soon(store(&client.map("screening").await.unwrap(), 4)).await;
    let rows = keys.len() as u64;
    let (_, unscored) = client
        .apply_binding(
            &text("cluster/screening.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000"),
        )
        .await
        .unwrap();
    assert_eq!(unscored, rows);

    // One that nobody disturbs, seen from another node.
    let first = client.start_job("screening", BINDING, None).await.unwrap();
    assert_eq!(first.total, rows);
    let job = over(&cluster.client(1).await, first.job).await;
    assert_eq!((&*job.state, job.total, job.done, job.refused), ("done", rows, rows, 0), "{job:?}");
    let expected: Vec<Option<f32>> = keys
        .iter()
        .map(|key| {
            let (score, job) = score(&cluster, key);
            assert_eq!((score.is_some(), job), (true, Some(JobId(first.job))), "{key}");
            score
        })
        .collect();

    let second = client.start_job("screening", BINDING, None).await.unwrap();
    cluster.kill(2);
    let job = over(&client, second.job).await;
    assert_eq!((&*job.state, job.total, job.done, job.refused), ("done", rows, rows, 0), "{job:?}");
    for (key, expected) in keys.iter().zip(&expected) {
        assert_eq!(score(&cluster, key), (*expected, Some(JobId(second.job))), "{key}");
    }
}
