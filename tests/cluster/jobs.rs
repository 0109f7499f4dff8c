//! Jobs: what is stored is scored, as a write would have scored it, and what is newer is left alone.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use embergrid::{
    client::{Client, EventKind, Map, Row, Subscribe},
    types::{Class, RowVersion},
    wire::v1::JobDescription,
};
use serde_json::{Value, json};

use crate::{
    node::{self, Running},
    scoring::{model, patients, text},
};

const BINDING: &str = "screening-malignant";

/// A node with so many times the 569 patients, stored before anything was bound; and their rows.
async fn stored(times: i64) -> (Running, Client, Map, BTreeMap<i64, Value>) {
    let node = node::start().await;
    let client = node.client().await;
    client.create_map("screening", Some(&text("cluster/screening.schema.toml"))).await.unwrap();
    client.deploy(model()).await.unwrap();
    let map = client.map("screening").await.unwrap();
    let patients = patients();
    let copy = |n: i64| patients.iter().map(move |(id, row)| (n * 1_000_000 + id, row.clone()));
    let rows: BTreeMap<i64, Value> = (0..times).flat_map(copy).collect();
    for some in rows.iter().collect::<Vec<_>>().chunks(2_000) {
        let puts = map.put_all(some.iter().map(|(id, row)| (**id, *row))).await.unwrap();
        puts.into_iter().for_each(|put| assert!(put.unwrap().scores.is_empty()));
    }
    (node, client, map, rows)
}

/// Binds the map; a write may take its time on a machine that does everything at once.
async fn bind(client: &Client) -> u64 {
    let definition =
        text("cluster/screening.binding.toml").replace("deadline_ms = 50", "deadline_ms = 60000");
    client.apply_binding(&definition).await.unwrap().1
}

async fn until(client: &Client, job: u32, is_met: impl Fn(&JobDescription) -> bool) -> JobDescription {
    let waiting = async {
        loop {
            let job = client.job(job).await.unwrap();
            if is_met(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("the job comes so far")
}

async fn done(client: &Client, job: u32) -> JobDescription {
    let job = until(client, job, |job| job.state != "running").await;
    assert_eq!(job.state, "done", "{job:?}");
    job
}

fn score(row: &Row) -> Option<f32> {
    let columns = row.columns().unwrap();
    columns.f32(columns.schema().column("malignant").unwrap())
}

async fn read(map: &Map, rows: &BTreeMap<i64, Value>) -> BTreeMap<i64, Row> {
    let found = map.get_all_raw(rows.keys().copied()).await.unwrap();
    rows.keys().copied().zip(found.into_iter().map(|row| row.unwrap().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_row_gets_the_score_that_a_write_would_give_it() {
    let (node, client, map, rows) = stored(4).await;
    let before = read(&map, &rows).await;
    assert_eq!(bind(&client).await, rows.len() as u64);
    let started = client.start_job("screening", BINDING, None).await.unwrap();
    assert_eq!((started.job, started.total), (1, rows.len() as u64));
    let job = done(&client, 1).await;
    assert_eq!((job.total, job.done, job.refused), (rows.len() as u64, rows.len() as u64, 0));
    assert_eq!((job.map.as_str(), job.binding.as_str(), job.r#where), ("screening", BINDING, None));

    let scored = read(&map, &rows).await;
    let puts = map.put_all(rows.iter().map(|(id, row)| (*id, row))).await.unwrap();
    for (((_, before), (id, after)), put) in before.iter().zip(&scored).zip(puts) {
        assert_eq!((score(before), after.version), (None, before.version), "{id}");
        let lineage = &after.lineage[0];
        assert_eq!((after.lineage.len(), lineage.model_version, lineage.row_version), (1, 1, before.version));
        let put = put.unwrap();
        assert_eq!(score(after), put.score("malignant").unwrap().as_f32(), "{id}");
    }
    // What the binding would leave unscored is none.
    assert_eq!(client.jobs().await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_limits_the_job_and_a_row_that_cannot_be_scored_is_named() {
    let (node, client, map, mut rows) = stored(1).await;
    let (broken, row) = rows.iter_mut().next().unwrap();
    row["mean_area"] = json!("NaN");
    let packed = map.pack_json(row.as_object().unwrap()).unwrap();
    map.put_raw(*broken, packed).await.unwrap();
    let broken = *broken;
    bind(&client).await;
    let condition = format!("diagnosis = 'malignant' or __key = {broken}");
    let wanted = |id: &i64, row: &Value| row["diagnosis"] == "malignant" || *id == broken;
    let wanted: Vec<i64> = rows.iter().filter(|(id, row)| wanted(id, row)).map(|(id, _)| *id).collect();
    client.start_job("screening", BINDING, Some(&condition)).await.unwrap();
    let job = done(&client, 1).await;
    assert_eq!((job.total, job.done, job.refused), (wanted.len() as u64, wanted.len() as u64 - 1, 1));
    let refusal = job.refusal.unwrap();
    assert!(refusal.contains(&format!("row {broken}")) && refusal.contains("mean_area"), "{refusal}");
    for (id, row) in read(&map, &rows).await {
        assert_eq!(score(&row).is_some(), wanted.contains(&id) && id != broken, "{id}");
    }

    // The rest, and the broken one mended by a write.
    rows.get_mut(&broken).unwrap()["mean_area"] = json!(500.0);
    map.put(broken, &rows[&broken]).await.unwrap();
    client.start_job("screening", BINDING, Some("malignant is null")).await.unwrap();
    let job = done(&client, 2).await;
    assert_eq!((job.done, job.refused, job.refusal), ((rows.len() - wanted.len()) as u64, 0, None));
    assert!(read(&map, &rows).await.values().all(|row| score(row).is_some()));

    let error = client.start_job("screening", BINDING, Some("malignent is null")).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert!(error.to_string().contains("did you mean `malignant`?"), "{error}");
    let error = client.start_job("screening", "no-such", None).await.unwrap_err();
    assert_eq!(error.class, Class::NotFound);
    assert_eq!(client.job(9).await.unwrap_err().class, Class::NotFound);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_written_meanwhile_keeps_its_own_score() {
    let (node, client, map, rows) = stored(2).await;
    bind(&client).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|nth| {
            let (map, rows, stop) = (map.clone(), rows.clone(), stop.clone());
            tokio::spawn(async move {
                // Each key is written by one writer: its last answer is what must be there.
                let mut last: BTreeMap<i64, (RowVersion, Option<f32>)> = BTreeMap::new();
                let own: Vec<(i64, Value)> =
                    rows.into_iter().filter(|(id, _)| id.rem_euclid(4) == nth).collect();
                let mut turn = 0.0;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1.0;
                    for some in own.chunks(64) {
                        let mut some = some.to_vec();
                        for (_, row) in &mut some {
                            row["mean_radius"] = json!(6.0 + turn % 20.0);
                        }
                        let puts = map.put_all(some.iter().map(|(id, row)| (*id, row))).await.unwrap();
                        for ((id, _), put) in some.iter().zip(puts) {
                            let put = put.unwrap();
                            last.insert(*id, (put.version, put.score("malignant").unwrap().as_f32()));
                        }
                    }
                }
                last
            })
        })
        .collect();
    for job in 1..=4 {
        client.start_job("screening", BINDING, None).await.unwrap();
        let job = done(&client, job).await;
        assert_eq!((job.done, job.refused), (rows.len() as u64, 0), "{job:?}");
    }
    stop.store(true, Ordering::Relaxed);
    let mut last = BTreeMap::new();
    for writer in writers {
        last.append(&mut writer.await.unwrap());
    }
    for (id, row) in read(&map, &rows).await {
        assert!(score(&row).is_some(), "{id}");
        if let Some(written) = last.get(&id) {
            assert_eq!((row.version, score(&row)), *written, "{id}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_rests_and_goes_on_and_scores_every_row_once() {
    let (node, client, map, rows) = stored(20).await;
    bind(&client).await;
    let what = Subscribe { no_snapshot: true, ..Default::default() };
    let mut events = map.subscribe(what).await.unwrap();
    // It has begun in every partition once it says where it stands.
    assert_eq!(events.next().await.unwrap().kind, EventKind::Bookmark);

    client.start_job("screening", BINDING, None).await.unwrap();
    let error = client.start_job("screening", BINDING, None).await.unwrap_err();
    let paused = client.pause_job(1).await.unwrap();
    // It may have been quick.
    if paused.state == "paused" {
        assert_eq!(error.class, Class::Conflict, "{error}");
        for _ in 0..4 {
            client.resume_job(1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            if client.pause_job(1).await.is_err() {
                break;
            }
        }
        // Whoever had a batch under way has finished or dropped it by then.
        let held = client.job(1).await.unwrap();
        if held.state == "paused" {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let later = client.job(1).await.unwrap();
            assert_eq!((later.state.as_str(), later.seconds), ("paused", held.seconds));
            client.resume_job(1).await.unwrap();
        }
    }
    let job = done(&client, 1).await;
    assert_eq!((job.total, job.done, job.refused), (rows.len() as u64, rows.len() as u64, 0));
    assert_eq!(client.cancel_job(1).await.unwrap_err().class, Class::Conflict);

    let mut scored: BTreeMap<i64, u32> = BTreeMap::new();
    let telling = async {
        while scored.len() < rows.len() {
            let event = events.next().await.unwrap();
            if event.kind == EventKind::Bookmark {
                continue;
            }
            assert_eq!(event.kind, EventKind::Updated);
            let embergrid::types::KeyRef::I64(id) = event.key.as_ref().unwrap().payload() else { panic!() };
            *scored.entry(id).or_default() += 1;
        }
        // A second one would come before this.
        map.remove(*rows.keys().next().unwrap()).await.unwrap();
        loop {
            let event = events.next().await.unwrap();
            match event.kind {
                EventKind::Bookmark => {}
                EventKind::Removed => return,
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), telling).await.expect("every row is told of");
    assert!(scored.values().all(|times| *times == 1));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_when_it_is_cancelled_and_fails_with_its_binding() {
    let (node, client, _, _) = stored(20).await;
    bind(&client).await;
    let mut job = 0;
    loop {
        job += 1;
        assert_eq!(client.start_job("screening", BINDING, None).await.unwrap().job, job);
        if client.cancel_job(job).await.is_ok_and(|cancelled| cancelled.state == "cancelled") {
            break;
        }
        assert!(job < 50, "every job was over before it could be cancelled");
    }
    assert_eq!(client.resume_job(job).await.unwrap_err().class, Class::Conflict);
    loop {
        job += 1;
        client.start_job("screening", BINDING, None).await.unwrap();
        client.pause_job(job).await.ok();
        if client.job(job).await.unwrap().state == "paused" {
            break;
        }
        assert!(job < 50, "every job was over before it could be paused");
    }
    client.delete_binding(BINDING).await.unwrap();
    let failed = client.job(job).await.unwrap();
    assert_eq!(
        (failed.state.as_str(), failed.reason.as_deref()),
        ("failed", Some("the binding was deleted"))
    );
    assert_eq!(client.jobs().await.unwrap().len(), job as usize);
    node.stop().await;
}
