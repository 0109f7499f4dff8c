//! A job over several nodes, one of which is killed while it runs: every row is scored all the same, and counted once.

use embergrid::{
    catalog::{Job, JobState},
    node::Grid,
    partition::{Op, Origin, PutMode, Request},
    row::from_json,
    types::{JobId, Key, MapId},
};
use serde_json::Value;

use crate::{
    nodes::{Cluster, soon},
    scoring::{model, patients, text},
};

const BINDING: &str = "screening-malignant";

/// Stores so many times the 569 patients, each at its primary.
async fn store(cluster: &Cluster, times: i64) -> Vec<Key> {
    let catalogue = cluster.nodes[0].grid.catalogue();
    let map = catalogue.map("screening").unwrap();
    let schema = map.schema().unwrap();
    let mut keys = Vec::new();
    for (id, row) in patients() {
        let Value::Object(row) = row else { panic!("a row") };
        let value = bytes::Bytes::from(from_json(schema, &row).unwrap());
        for copy in 0..times {
            let key = Key::from(copy * 1_000_000 + id);
            let op = Op::Put { value: value.clone(), mode: PutMode::Always, want_old: false, ttl: None };
            let request = Request {
                origin: Origin::default(),
                id: None,
                acknowledged_below: 0,
                map: map.id,
                key: key.clone(),
                op,
                deadline_us: None,
            };
            primary(cluster, &key).call(request).await.unwrap();
            keys.push(key);
        }
    }
    keys
}

/// The node that has the key's primary, as the living ones see it.
fn primary<'c>(cluster: &'c Cluster, key: &Key) -> &'c Grid {
    let nodes = cluster.nodes.iter().filter(|node| node.is_alive());
    let mut grids = nodes.map(|node| &node.grid);
    grids.find(|grid| grid.is_here(grid.partition_of(key))).expect("it has a primary")
}

async fn over(cluster: &Cluster, node: usize, job: JobId) -> std::sync::Arc<Job> {
    let grid = &cluster.nodes[node].grid;
    soon(async {
        loop {
            let job = grid.catalogue().job(job).unwrap().clone();
            if job.state.is_over() {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}

fn score(cluster: &Cluster, map: MapId, key: &Key) -> (Option<f32>, Option<JobId>) {
    let grid = primary(cluster, key);
    let record = grid.read(map, key).unwrap().expect("the row is there");
    let catalogue = grid.catalogue();
    let schema = catalogue.map("screening").unwrap().schema().unwrap();
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
    let keys = soon(store(&cluster, 4)).await;
    let file = embergrid::catalog::BindingFile::parse("b", &text("cluster/screening.binding.toml")).unwrap();
    let grid = cluster.nodes[0].grid.clone();
    let map = grid.catalogue().map("screening").unwrap().id;
    grid.propose(embergrid::catalog::Command::ApplyBinding(file)).await.unwrap();

    // One that nobody disturbs.
    let rows = keys.len() as u64;
    let first = grid.start_job("screening", BINDING, None, rows).await.unwrap();
    let job = over(&cluster, 1, first).await;
    assert_eq!((job.state, job.total(), job.tally.done, job.tally.refused), (JobState::Done, rows, rows, 0));
    let expected: Vec<Option<f32>> = keys
        .iter()
        .map(|key| {
            let (score, job) = score(&cluster, map, key);
            assert_eq!((score.is_some(), job), (true, Some(first)));
            score
        })
        .collect();

    let victim = 2;
    let second = grid.start_job("screening", BINDING, None, rows).await.unwrap();
    cluster.kill(victim);
    let job = over(&cluster, 0, second).await;
    assert_eq!((job.state, job.total(), job.tally.done, job.tally.refused), (JobState::Done, rows, rows, 0));
    for (key, expected) in keys.iter().zip(&expected) {
        assert_eq!(score(&cluster, map, key), (*expected, Some(second)), "{key}");
    }
}
