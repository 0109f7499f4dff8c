//! A whole node, in this process, without its servers.

use bytes::Bytes;

use super::{Grid, Node, Notice, Options, Package, Subscription};
use crate::{
    catalog::{Command, MapFile},
    feed::EventKind,
    partition::{Op, Origin, PutMode, Request},
    types::{Class, Key, KeyKind, KeyRef, MapId, RequestId},
};

pub(super) async fn plain_map() -> (Node, Grid, MapId) {
    let node = Node::start(Options::default()).await.unwrap();
    let grid = node.grid();
    let file = MapFile { key_kind: Some(KeyKind::I64), ..MapFile::plain("m") };
    grid.propose(Command::CreateMap(file)).await.unwrap();
    let map = grid.catalogue().map("m").unwrap().id;
    (node, grid, map)
}

pub(super) fn put(map: MapId, key: i64, value: &'static str) -> Request {
    let value = Bytes::from_static(value.as_bytes());
    let op = Op::Put { value, mode: PutMode::Always, want_old: true, ttl: None };
    request(map, key, op)
}

fn request(map: MapId, key: i64, op: Op) -> Request {
    let origin = Origin::default();
    Request { origin, id: None, acknowledged_below: 0, map, key: Key::from(key), op, deadline_us: None }
}

fn stored(grid: &Grid, map: MapId, key: i64) -> Option<Vec<u8>> {
    let key = Key::from(key);
    grid.read(grid.partition_of(&key), map, &key).unwrap().map(|record| record.value().to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_is_read_counted_and_removed() {
    let (node, grid, map) = plain_map().await;
    let first = grid.call(put(map, 1, "one")).await.unwrap();
    assert!(first.applied && first.old.is_none());
    let second = grid.call(put(map, 1, "two")).await.unwrap();
    assert_eq!(second.old.unwrap().value(), b"one");
    assert_eq!(stored(&grid, map, 1).unwrap(), b"two");
    assert_eq!((stored(&grid, map, 2), grid.size(map).unwrap()), (None, 1));
    grid.call(request(map, 1, Op::Remove { expected: None, want_old: false })).await.unwrap();
    assert_eq!((stored(&grid, map, 1), grid.size(map).unwrap()), (None, 0));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_answered_once_an_operation_and_a_retry_finds_its_answer() {
    let (node, grid, map) = plain_map().await;
    let session = grid.open_session().await.unwrap();
    let mut connection = grid.connect();
    let replies = connection.replies();
    let mut batch = |numbers: std::ops::Range<u64>| {
        let mut requests: Vec<_> = numbers
            .map(|number| Request {
                origin: Origin { connection: 0, tag: number },
                id: Some(RequestId { session, number }),
                acknowledged_below: 1,
                ..put(map, number as i64, "x")
            })
            .map(|request| (grid.partition_of(&request.key), request))
            .collect();
        connection.submit(&mut requests);
    };
    batch(1..101);
    batch(1..101);
    let mut answers = Vec::new();
    while answers.len() < 200 {
        std::future::poll_fn(|cx| replies.poll_take(cx, &mut answers)).await;
    }
    answers.sort_by_key(|reply| reply.tag);
    for pair in answers.chunks(2) {
        assert_eq!(pair[0].answer.as_ref().unwrap(), pair[1].answer.as_ref().unwrap());
    }
    assert_eq!(grid.size(map).unwrap(), 100);
    node.shutdown().await;
}

/// Takes events until there are `count`.
async fn events(subscription: &mut Subscription, count: usize) -> Vec<(EventKind, i64)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        for notice in subscription.next().await.unwrap() {
            let Notice::Event { event, .. } = notice else { continue };
            let key = Key::from_packed(event.row.key()).unwrap();
            let KeyRef::I64(key) = key.payload() else { panic!("a key of another kind") };
            seen.push((event.kind, key));
        }
    }
    seen.sort_by_key(|(_, key)| *key);
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_gives_rows_then_changes_and_resumes_from_its_token() {
    let (node, grid, map) = plain_map().await;
    for key in 0..500 {
        grid.call(put(map, key, "x")).await.unwrap();
    }
    let mut subscription = grid.subscribe("m", Some("__key < 400"), None, true).unwrap();
    let snapshot = events(&mut subscription, 400).await;
    assert_eq!(snapshot, (0..400).map(|key| (EventKind::Snapshot, key)).collect::<Vec<_>>());
    let token = loop {
        let notices = subscription.next().await.unwrap();
        if let Some(Notice::SnapshotEnd { token }) = notices.into_iter().next() {
            break token;
        }
    };
    drop(subscription);
    for key in 398..402 {
        grid.call(put(map, key, "y")).await.unwrap();
    }
    let mut resumed = grid.subscribe("m", Some("__key < 400"), Some(&token), true).unwrap();
    let changes = events(&mut resumed, 2).await;
    assert_eq!(changes, [(EventKind::Updated, 398), (EventKind::Updated, 399)]);
    let other = grid.subscribe("m", None, Some(&token), true).err().unwrap();
    assert_eq!((other.class, &*other.message), (Class::Invalid, "the token is of another condition"));
    node.shutdown().await;
}

/// The files of a bundled model's folder.
fn bundled(name: &str, version: u32) -> Package {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/{name}/{version}"));
    let mut files = std::collections::BTreeMap::new();
    let mut open = vec![folder.clone()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            files.insert(name, Bytes::from(std::fs::read(path).unwrap()));
        }
    }
    let manifest = String::from_utf8(files["manifest.toml"].to_vec()).unwrap();
    Package {
        name: name.to_owned(),
        version: None,
        alias: Some("champion".to_owned()),
        manifest: Some(manifest),
        model_file: "model.onnx".to_owned(),
        files,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_deployed_only_if_it_reproduces_its_golden_samples() {
    let node = Node::start(Options::default()).await.unwrap();
    let grid = node.grid();
    let package = bundled("breast-cancer", 1);
    let mut wrong = package.clone();
    let sample = "test_data_set_0/output_1.pb";
    let mut bytes = wrong.files[sample].to_vec();
    *bytes.last_mut().unwrap() ^= 0x10;
    wrong.files.insert(sample.to_owned(), bytes.into());
    let error = grid.deploy(wrong).await.unwrap_err();
    assert_eq!(error.class, Class::Invalid);
    assert!(
        error.message.starts_with("the golden samples disagree: test_data_set_0, output `probabilities`"),
        "{error}"
    );
    assert!(grid.catalogue().models().is_empty());

    let deployed = grid.deploy(package).await.unwrap();
    assert_eq!((deployed.version, deployed.alias.as_deref()), (1, Some("champion")));
    assert_eq!(grid.catalogue().model("breast-cancer").unwrap().aliases()["champion"], 1);
    node.shutdown().await;
}
