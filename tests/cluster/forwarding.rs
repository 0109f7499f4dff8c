//! Any node takes any call: what belongs elsewhere is passed on, one hop.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use embergrid::{
    catalog::Health,
    client::Client,
    types::{Key, PartitionId},
    wire::{
        ClientFrame,
        v1::{self, admin_client::AdminClient, grid_client::GridClient, key::Payload, reply::Answer},
    },
};
use serde_json::{Value, json};
use tonic::{Code, transport::Channel};

use crate::{
    http::json_of,
    node::PAYMENTS,
    nodes::{Cluster, options, soon},
    raw::{get, packed, put, session, unpacked},
    scoring::{model, patients, text},
};

const ROWS: i64 = 60;

async fn channel(address: &str) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// Three nodes that hold a map together.
async fn payments() -> Cluster {
    let cluster = Cluster::found(3).await;
    cluster.client(0).await.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let primaries: BTreeSet<_> = (0..13).map(|at| cluster.grid(0).primary_of(PartitionId(at))).collect();
    assert_eq!(primaries.len(), 3, "every node is the primary of some partitions");
    cluster
}

fn path(id: i64) -> String {
    format!("/v1/maps/payments/rows/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_written_read_and_removed_through_any_node() {
    let cluster = payments().await;
    let address = |node: usize| cluster.nodes[node % 3].address.as_str();
    for id in 0..ROWS {
        let at = id as usize;
        let row = format!(r#"{{"amount": {id}, "country": "DE"}}"#);
        let (status, first) = soon(json_of(address(at), "POST", &path(id), &row)).await;
        assert_eq!((status, &first["old"]), (200, &Value::Null), "{first}");
        let (status, second) = soon(json_of(address(at + 1), "POST", &path(id), &row)).await;
        assert_eq!((status, &second["old"]["amount"]), (200, &json!(id as f64)), "{second}");
        for node in 0..3 {
            let (status, read) = soon(json_of(address(node), "GET", &path(id), "")).await;
            assert_eq!((status, &read["version"]), (200, &second["version"]));
            assert_eq!(
                read["row"],
                json!({"amount": id as f64, "country": "DE", "attempts": null, "fraud": null})
            );
        }
    }
    for id in 0..ROWS {
        let (status, removed) = soon(json_of(address(id as usize), "DELETE", &path(id), "")).await;
        assert_eq!((status, &removed["old"]["amount"]), (200, &json!(id as f64)));
        let (status, gone) = soon(json_of(address(id as usize + 1), "GET", &path(id), "")).await;
        assert_eq!((status, &gone["class"]), (404, &json!("not_found")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_runs_at_the_primary_and_a_refusal_comes_back_whole() {
    let cluster = payments().await;
    let key = |id: i64| Some(v1::Key { payload: Some(Payload::I64(id)), affinity: None });
    let map = cluster.client(0).await.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": 1.0, "country": "DE", "attempts": 0})).await.unwrap();
    }
    for node in &cluster.nodes {
        let mut grid = GridClient::new(channel(&node.address).await);
        for id in 0..ROWS {
            let update = "SET attempts = attempts + 1".to_owned();
            let execute =
                v1::ExecuteRequest { map: "payments".into(), key: key(id), update, ..Default::default() };
            soon(grid.execute(execute.clone())).await.unwrap();
            let update = "SET amount = -1".to_owned();
            let refused = soon(grid.execute(v1::ExecuteRequest { update, ..execute })).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        }
        let missing = v1::RemoveRequest {
            map: "payments".into(),
            key: key(1),
            expected_version: Some(1 << 40),
            deadline_ms: 10_000,
        };
        assert_eq!(soon(grid.remove(missing)).await.unwrap_err().code(), Code::Aborted);
    }
    for id in 0..ROWS {
        let row: Value = map.get(id).await.unwrap().unwrap();
        assert_eq!((&row["attempts"], &row["amount"]), (&json!(3), &json!(1.0)));
    }
}

/// Sends operations to one node and gathers the answers by tag.
async fn answers(address: &str, ops: Vec<v1::Op>) -> BTreeMap<u32, Answer> {
    let (sender, mut replies) = session(address).await;
    let count = ops.len();
    for some in ops.chunks(64) {
        let frame = ClientFrame { ops: packed(some.iter().cloned()), ..Default::default() };
        sender.send(frame).await.unwrap();
    }
    let mut answers = BTreeMap::new();
    while answers.len() < count {
        for reply in unpacked(soon(replies.message()).await.unwrap().unwrap()) {
            assert!(answers.insert(reply.tag, reply.answer.unwrap()).is_none(), "one answer each");
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_at_one_node_reaches_the_rows_of_all() {
    let cluster = Cluster::found(3).await;
    let map = cluster.client(0).await.create_map("blobs", None).await.unwrap().id.0;
    let value = |number: u64| Bytes::from(format!("value {number}"));
    // Each under its own number, and again under the same: what was answered first is answered again.
    let puts: Vec<v1::Op> = (1..101).map(|number| put(map, number, value(number))).collect();
    let again: Vec<v1::Op> = puts.iter().map(|op| v1::Op { tag: op.tag + 1_000, ..op.clone() }).collect();
    let written = answers(&cluster.nodes[1].address, puts.into_iter().chain(again).collect()).await;
    for number in 1..101 {
        let (first, again) = (&written[&number], &written[&(number + 1_000)]);
        assert!(matches!(first, Answer::Written(written) if written.old.is_none() && !written.skipped));
        assert_eq!(first, again);
    }
    let gets = (1..101).map(|number| get(map, number as u32 + 7, number)).collect();
    let read = answers(&cluster.nodes[2].address, gets).await;
    for number in 1..101_u64 {
        let Answer::Stored(stored) = &read[&(number as u32 + 7)] else { panic!("row {number} is missing") };
        assert_eq!(stored.value, value(number));
    }
    let absent = answers(&cluster.nodes[0].address, vec![get(map + 1, 3, 1)]).await;
    assert!(matches!(&absent[&3], Answer::Error(error) if error.class() == v1::ErrorClass::Unavailable));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_long_values_pass_through_one_node_within_its_credit() {
    let cluster = Cluster::found(3).await;
    let map = cluster.client(0).await.create_map("blobs", None).await.unwrap().id.0;
    let value = Bytes::from(vec![7; 100 << 10]);
    let (sender, mut replies) = session(&cluster.nodes[0].address).await;
    let sending = tokio::spawn(async move {
        for number in 1..401 {
            let ops = packed([put(map, number, value.clone())]);
            let frame = ClientFrame { ops, acknowledged_below: 0, ..Default::default() };
            sender.send(frame).await.unwrap();
        }
        sender
    });
    let (mut answered, mut olds) = (0, 0);
    while answered < 400 {
        for reply in unpacked(soon(replies.message()).await.unwrap().unwrap()) {
            answered += 1;
            match reply.answer.unwrap() {
                Answer::Written(written) => olds += usize::from(written.old.is_some()),
                // The results kept for retries are bounded: the session has to acknowledge. And on a machine that is
                // busy a lease may run out.
                Answer::Error(error) => assert!(is_passing(error.class()), "{error:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
    drop(sending.await.unwrap());
    assert!(olds > 0);
}

fn is_passing(class: v1::ErrorClass) -> bool {
    matches!(class, v1::ErrorClass::Overloaded | v1::ErrorClass::Unavailable | v1::ErrorClass::NotPrimary)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_at_any_node_gives_every_row_once() {
    const LONG: i64 = 1_500;
    let cluster = Cluster::found(3).await;
    let client = cluster.client(0).await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let map = client.map("payments").await.unwrap();
    // Several pages of each node, and of single shards.
    let country = "x".repeat(2_000);
    let rows: Vec<(i64, Value)> =
        (0..LONG).map(|id| (id, json!({"amount": id as f64, "country": country}))).collect();
    for some in rows.chunks(100) {
        let puts = map.put_all(some.iter().map(|(id, row)| (*id, row))).await.unwrap();
        puts.into_iter().for_each(|put| drop(put.unwrap()));
    }
    for node in &cluster.nodes {
        let mut grid = GridClient::new(channel(&node.address).await);
        let ask = |condition: &str, limit: u64| v1::QueryRequest {
            map: "payments".into(),
            r#where: condition.into(),
            limit,
            packed: limit == 0,
        };
        assert_eq!(keys(&mut grid, ask("", 0)).await, (0..LONG).map(Key::from).collect::<BTreeSet<_>>());
        let some: BTreeSet<Key> = (0..LONG).filter(|id| id % 2 == 0 && *id > 900).map(Key::from).collect();
        assert_eq!(keys(&mut grid, ask("amount > 900 AND __key % 2 = 0", 0)).await, some);
        for limit in [1, 40, 700] {
            let found = keys(&mut grid, ask("amount >= 0", limit)).await;
            assert_eq!(found.len() as u64, limit);
        }
        assert!(keys(&mut grid, ask("amount < 0", 0)).await.is_empty());
        let size = v1::SizeRequest { map: "payments".into() };
        assert_eq!(soon(grid.size(size)).await.unwrap().into_inner().size, LONG as u64);
    }
}

/// The keys that a query gives, each once.
async fn keys(grid: &mut GridClient<Channel>, ask: v1::QueryRequest) -> BTreeSet<Key> {
    let mut pages = soon(grid.query(ask)).await.unwrap().into_inner();
    let mut keys = BTreeSet::new();
    while let Some(page) = soon(pages.message()).await.unwrap() {
        for row in page.rows {
            let key = match row.key.unwrap().payload.unwrap() {
                Payload::Packed(packed) => Key::from_packed(&packed).unwrap(),
                Payload::I64(number) => Key::from(number),
                other => panic!("{other:?}"),
            };
            assert!(keys.insert(key), "given twice");
        }
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_tried_on_every_node_before_any_scores_with_it() {
    let cluster = Cluster::found(3).await;
    let client = cluster.client(1).await;
    client.create_map("screening", Some(&text("cluster/screening.schema.toml"))).await.unwrap();
    let patients = patients();
    let map = client.map("screening").await.unwrap();
    let puts = map.put_all(patients.iter().map(|(id, row)| (*id, row))).await.unwrap();
    puts.into_iter().for_each(|put| drop(put.unwrap()));

    let mut wrong = model();
    let sample = wrong.files.iter_mut().find(|(name, _)| name.ends_with("output_1.pb")).unwrap();
    let mut bytes = sample.1.to_vec();
    *bytes.last_mut().unwrap() ^= 0x10;
    sample.1 = bytes.into();
    let refused = soon(client.deploy(wrong)).await.unwrap_err();
    assert!(refused.message.contains("golden samples disagree"), "{refused}");
    for node in 0..3 {
        assert!(cluster.grid(node).catalogue().models().is_empty());
    }

    let deployed = soon(client.deploy(model())).await.unwrap();
    assert_eq!((deployed.version, deployed.nodes), (1, 3));
    let binding = text("cluster/screening.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000");
    let (_, unscored) = soon(cluster.client(2).await.apply_binding(&binding)).await.unwrap();
    assert_eq!(unscored, patients.len() as u64, "counted wherever they are");
    for (at, (id, row)) in patients.iter().take(30).enumerate() {
        let path = format!("/v1/maps/screening/rows/{id}");
        let address = &cluster.nodes[at % 3].address;
        let (status, put) = soon(json_of(address, "POST", &path, &row.to_string())).await;
        assert_eq!(status, 200, "{put}");
        let score = &put["scores"][0]["values"]["malignant"];
        assert!(score.is_number(), "{put}");
        let (_, read) = soon(json_of(&cluster.nodes[(at + 1) % 3].address, "GET", &path, "")).await;
        assert_eq!((&read["row"]["malignant"], &read["lineage"][0]["model_version"]), (score, &json!(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_cannot_reach_a_node_changes_nothing_and_names_it() {
    let mut cluster = Cluster::found(3).await;
    // Heard still, by what the others know.
    let name = |cluster: &Cluster, node: usize| {
        let id = cluster.grid(node).me();
        let catalogue = cluster.grid((node + 1) % 3).catalogue();
        catalogue.member(id).map(|member| member.node.name.clone()).unwrap()
    };
    let victim = name(&cluster, 2);
    let client = cluster.client(0).await;
    cluster.kill(2);
    if let Err(error) = soon(client.deploy(model())).await {
        assert!(error.message.contains(&victim), "{error}");
        assert!(cluster.grid(1).catalogue().models().is_empty());
        let is_down = |grid: &embergrid::node::Grid| grid.catalogue().up().len() == 2;
        cluster.wait_until("a node is down", is_down).await;
        // It is not to be waited for.
        assert_eq!(soon(client.deploy(model())).await.unwrap().nodes, 2);
    }
    // Who was away fetches what the catalogue names: it goes by no version of it before that is loaded.
    cluster.restart(2).await;
    let client = cluster.client(2).await;
    client.create_map("screening", Some(&text("cluster/screening.schema.toml"))).await.unwrap();
    let binding = text("cluster/screening.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000");
    soon(client.apply_binding(&binding)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_health_follow_a_node_that_fails_and_returns() {
    let mut cluster = payments().await;
    cluster.wait_until_healthy().await;
    let status = async |cluster: &Cluster, node: usize| {
        let mut admin = AdminClient::new(channel(&cluster.nodes[node].address).await);
        soon(admin.status(v1::StatusRequest { partitions: true })).await.unwrap().into_inner()
    };
    let well = status(&cluster, 1).await;
    let totals = well.totals.unwrap();
    assert_eq!((totals.total, totals.healthy), (13, 13));
    assert_eq!(well.nodes.iter().map(|node| node.primaries).sum::<u32>(), 13);
    assert_eq!(well.nodes.iter().map(|node| node.backups).sum::<u32>(), 26);
    assert!(well.nodes.iter().any(|node| node.name == well.leader));
    assert!(well.partitions.iter().all(|one| one.backups.len() == 2 && one.learners.is_empty()));
    let map = cluster.client(0).await.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": 1.0, "country": "DE"})).await.unwrap();
    }
    // Whichever node is asked, all primaries are heard.
    for node in 0..3 {
        let told = status(&cluster, node).await;
        let progress: Vec<_> = told.partitions.iter().map(|one| one.progress.as_ref().unwrap()).collect();
        assert_eq!(progress.iter().map(|one| one.rows).sum::<u64>(), ROWS as u64);
        let is_done =
            |replica: &v1::ReplicaProgress| replica.copied_rows.is_none() && !replica.node.is_empty();
        assert!(progress.iter().all(|one| one.replicas.len() == 2 && one.replicas.iter().all(is_done)));
        assert!(progress.iter().all(|one| !one.differs && one.position.starts_with("1.")));
    }
    for node in &cluster.nodes {
        assert_eq!(json_of(&node.address, "GET", "/health/ready", "").await.0, 200);
        assert_eq!(json_of(&node.address, "GET", "/health/safe-to-stop", "").await.0, 200);
    }

    cluster.kill(2);
    let is_down = |grid: &embergrid::node::Grid| {
        let catalogue = grid.catalogue();
        let is_kept = |held| catalogue.health(held) == Health::UnderReplicated;
        catalogue.up().len() == 2 && catalogue.configurations().iter().all(is_kept)
    };
    cluster.wait_until("two nodes keep everything", is_down).await;
    let ill = status(&cluster, 0).await;
    assert!(
        ill.partitions.iter().all(|one| one.progress.as_ref().is_some_and(|told| told.replicas.len() == 1))
    );
    assert_eq!(ill.totals.unwrap().under_replicated, 13);
    assert_eq!(ill.nodes.iter().filter(|node| node.state == "down").count(), 1);
    assert_eq!(json_of(&cluster.nodes[0].address, "GET", "/health/safe-to-stop", "").await.0, 200);

    cluster.restart(2).await;
    cluster.wait_until_healthy().await;
    let again = status(&cluster, 2).await;
    assert_eq!(again.totals.unwrap().healthy, 13);
    assert_eq!(again.nodes.iter().map(|node| node.learners).sum::<u32>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_node_that_was_killed_are_never_answered_as_missing() {
    let mut cluster = payments().await;
    let map = cluster.client(0).await.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": id as f64, "country": "DE"})).await.unwrap();
    }
    cluster.kill(1);
    for id in 0..ROWS {
        let address = &cluster.nodes[if id % 2 == 0 { 0 } else { 2 }].address;
        let read = async {
            loop {
                match json_of(address, "GET", &path(id), "").await {
                    (200, read) => return read,
                    (503, refused) => assert_eq!(refused["class"], "unavailable", "{refused}"),
                    other => panic!("row {id}: {other:?}"),
                }
            }
        };
        assert_eq!(soon(read).await["row"]["amount"], json!(id as f64));
    }
    for id in 0..ROWS {
        let row = r#"{"amount": 7, "country": "DE"}"#;
        let write = async {
            loop {
                match json_of(&cluster.nodes[0].address, "POST", &path(id), row).await {
                    (200, put) => return put,
                    (503, refused) => assert_eq!(refused["class"], "unavailable", "{refused}"),
                    other => panic!("row {id}: {other:?}"),
                }
            }
        };
        assert_eq!(soon(write).await["old"]["country"], "DE");
    }
    let grid = GridClient::new(channel(&cluster.nodes[2].address).await);
    let query =
        v1::QueryRequest { map: "payments".into(), r#where: "amount = 7".into(), ..Default::default() };
    let count = async {
        loop {
            let mut grid = grid.clone();
            match grid.size(v1::SizeRequest { map: "payments".into() }).await {
                Ok(size) => return size.into_inner().size,
                Err(status) => assert_eq!(status.code(), Code::Unavailable),
            }
        }
    };
    assert_eq!(soon(count).await, ROWS as u64);
    assert_eq!(keys(&mut grid.clone(), query).await.len(), ROWS as usize);
}

/// One backup alone, so that a partition may have nobody left.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_nobody_has_is_an_error_at_every_node() {
    let mut cluster = Cluster::found_with(3, embergrid::node::Options { backup_count: 0, ..options() }).await;
    let client: Client = cluster.client(0).await;
    client.create_map("payments", Some(PAYMENTS)).await.unwrap();
    let map = client.map("payments").await.unwrap();
    for id in 0..ROWS {
        map.set(id, &json!({"amount": 1.0, "country": "DE"})).await.unwrap();
    }
    let away = cluster.grid(2).me();
    let grid = cluster.grid(0);
    let is_away = |id: &i64| grid.primary_of(grid.partition_of(&Key::from(*id))) == Some(away);
    let (gone, kept): (Vec<i64>, Vec<i64>) = (0..ROWS).partition(is_away);
    assert!(!gone.is_empty() && !kept.is_empty());
    cluster.kill(2);
    let is_down = |grid: &embergrid::node::Grid| grid.catalogue().up().len() == 2;
    cluster.wait_until("a node is down", is_down).await;
    let address = &cluster.nodes[0].address;
    let (status, refused) = soon(json_of(address, "GET", &path(gone[0]), "")).await;
    assert_eq!((status, &refused["class"]), (503, &json!("unavailable")));
    let read = async { while json_of(address, "GET", &path(kept[0]), "").await.0 != 200 {} };
    soon(read).await;
    let mut admin = GridClient::new(channel(address).await);
    let size = soon(admin.size(v1::SizeRequest { map: "payments".into() })).await.unwrap_err();
    assert_eq!(size.code(), Code::Unavailable);
    let mut pages = soon(admin.query(v1::QueryRequest { map: "payments".into(), ..Default::default() }))
        .await
        .unwrap()
        .into_inner();
    let outcome = async {
        loop {
            match pages.message().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    assert_eq!(soon(outcome).await.unwrap_err().code(), Code::Unavailable);
}
