use std::{path::Path, sync::Arc};

use bytes::Bytes;
use openraft::testing::{StoreBuilder, Suite};

use super::{
    super::{
        Control, Options, Started,
        disk::open_at,
        log::Log,
        machine::Machine,
        raft::{StorageError, Types},
    },
    options,
};
use crate::{
    catalog::{Command, MapFile, Response},
    types::{Class, Incarnation, MapId, Result},
};

struct OnDisk;

impl StoreBuilder<Types, Log, Machine, tempfile::TempDir> for OnDisk {
    async fn build(&self) -> std::result::Result<(tempfile::TempDir, Log, Machine), StorageError> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::new(open_at(folder.path()));
        Ok((folder, Log::new(disk.clone()), Machine::open(disk).unwrap()))
    }
}

/// Ten seconds: the suite sleeps.
#[test]
fn openraft_is_content_with_the_storage_on_disk() {
    Suite::test_all(OnDisk).unwrap();
}

async fn start(data_dir: Option<&Path>) -> Result<Control> {
    let opened = Control::open(data_dir.map(Path::to_owned)).await?;
    let options = Options { partition_count: 3, ..options() };
    Control::start(opened, options, None).await
}

fn create(name: &str) -> Command {
    Command::CreateMap(MapFile::plain(name))
}

/// Runs one life of a node: the process ends when its runtime is dropped, with no shutdown in good order.
fn life<T>(data_dir: &Path, live: impl AsyncFnOnce(&Control) -> T) -> Result<(Started, T)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let control = start(Some(data_dir)).await?;
        let outcome = live(&control).await;
        Ok((control.started(), outcome))
    })
}

#[test]
fn what_was_answered_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (first, digest) = life(folder.path(), async |control| {
        assert_eq!(
            control.propose(create("a")).await,
            Ok(Response::Map { id: MapId(1), schema: None, changed: true })
        );
        assert_eq!(control.propose(create("a b")).await.unwrap_err().class, Class::Invalid);
        control.blobs().put(Bytes::from_static(b"model")).await.unwrap()
    })
    .unwrap();
    assert_eq!((first.incarnation, first.new_generation), (Incarnation(1), false));

    for start in 2..5 {
        let (again, catalogue) = life(folder.path(), async |control| {
            // Nothing refers to the blob, so it is gone with the next start.
            assert_eq!(control.blobs().read(digest).await, Ok(None));
            control.propose(create(&format!("b{start}"))).await.unwrap();
            control.catalogue()
        })
        .unwrap();
        assert_eq!(
            again,
            Started { node: first.node, incarnation: Incarnation(start), new_generation: true }
        );
        assert_eq!(catalogue.maps().count() as u64, start);
        assert_eq!(catalogue.configurations()[0].generation.0 as u64, start);
        assert_eq!(catalogue.member(first.node).unwrap().node.address, "127.0.0.1:7700");
    }
}

#[test]
fn a_snapshot_stands_in_for_the_log() {
    let folder = tempfile::tempdir().unwrap();
    life(folder.path(), async |control| {
        for name in ["a", "b", "c"] {
            control.propose(create(name)).await.unwrap();
        }
        let raft = &control.group.raft;
        raft.trigger().snapshot().await.unwrap();
        let wait = raft.wait(Some(super::super::start::LEADING));
        let built =
            wait.metrics(|metrics| metrics.snapshot.is_some(), "the snapshot is built").await.unwrap();
        raft.trigger().purge_log(built.snapshot.unwrap().index).await.unwrap();
        wait.purged(built.snapshot, "the log is purged").await.unwrap();
        control.propose(create("d")).await.unwrap();
    })
    .unwrap();
    let (_, names) = life(folder.path(), async |control| {
        control.catalogue().maps().map(|map| map.name.clone()).collect::<Vec<_>>()
    })
    .unwrap();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn two_nodes_cannot_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let refused = life(folder.path(), async |_| start(Some(folder.path())).await.err().unwrap());
    let (_, error) = refused.unwrap();
    assert_eq!(error.class, Class::Conflict);
    assert_eq!(
        error.message,
        format!("the data folder `{}` is in use by another node", folder.path().display())
    );
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = life(&file, async |_| ()).unwrap_err();
    assert!(
        error.message.starts_with(&format!("the data folder `{}` cannot be used", file.display())),
        "{error}"
    );
    std::fs::write(folder.path().join("node.toml"), "format = 1\nnode = \"zz\"\n").unwrap();
    let error = life(folder.path(), async |_| ()).unwrap_err();
    assert!(error.message.ends_with("node.toml: `zz` is not a node's id"), "{error}");
}

#[tokio::test]
async fn a_node_without_a_folder_publishes_its_catalogue() {
    let control = start(None).await.unwrap();
    let mut watch = control.watch();
    assert!(watch.borrow_and_update().is_founded());
    control.propose(create("a")).await.unwrap();
    watch.changed().await.unwrap();
    assert_eq!(watch.borrow_and_update().map("a").unwrap().id, MapId(1));
    control.propose(Command::GrantSessions { count: 9 }).await.unwrap();
    assert!(!watch.has_changed().unwrap());

    let digest = control.blobs().put(Bytes::from_static(b"model")).await.unwrap();
    assert_eq!(control.blobs().read(digest).await, Ok(Some(Bytes::from_static(b"model"))));
    control.shutdown().await;
    assert_eq!(control.propose(create("b")).await.unwrap_err().class, Class::Unavailable);
}

#[tokio::test]
async fn a_damaged_model_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = super::super::Blobs::in_folder(folder.path()).unwrap();
    let digest = blobs.put(Bytes::from_static(b"model")).await.unwrap();
    assert_eq!(blobs.put(Bytes::from_static(b"model")).await, Ok(digest));
    let file = folder.path().join("models").join(digest.to_string());
    std::fs::write(&file, b"modem").unwrap();
    let error = blobs.read(digest).await.unwrap_err();
    assert_eq!(error.message, format!("the model file `{}` is damaged", file.display()));
    std::fs::write(folder.path().join("models/x.part"), b"mod").unwrap();
    blobs.keep([].into()).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("models")).unwrap().count(), 0);
}
