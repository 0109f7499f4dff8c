//! Disks that are full or damaged.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use redb::{StorageBackend, backends::InMemoryBackend};

use super::{
    super::{blobs::Blobs, disk::Disk, opened::Opened},
    *,
};
use crate::types::{Class, Incarnation};

/// A disk that can become full.
#[derive(Debug)]
struct Small {
    disk: InMemoryBackend,
    is_full: Arc<AtomicBool>,
}

impl Small {
    fn take(&self) -> io::Result<()> {
        match self.is_full.load(Ordering::SeqCst) {
            true => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device")),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Small {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.take()?;
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.take()?;
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.take()?;
        self.disk.write(offset, data)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_is_full_says_so_and_the_others_go_on() {
    let is_full = Arc::new(AtomicBool::new(false));
    let small = Small { disk: InMemoryBackend::new(), is_full: Arc::clone(&is_full) };
    let first = Listening::with_seeds(&[]).await;
    let seeds = [first.address()];
    let second = Listening::with_seeds(&seeds).await;
    let mut third = Listening::with_seeds(&seeds).await;
    let disk = Disk::on(small).unwrap();
    third.opened = Opened::read(third.opened.node(), disk, Blobs::in_memory()).unwrap();
    let (first, second, third) =
        tokio::join!(first.enter(Some(3)), second.enter(Some(3)), third.enter(Some(3)));
    first.voters(3).await;

    is_full.store(true, Ordering::SeqCst);
    // It needs the disk for the next entry at the latest. If it leads, nobody knows what becomes of that one.
    let create = async {
        while first.create("a").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(create).await;
    let error = soon(third.control.failed()).await;
    assert_eq!(error.class, Class::Internal);
    assert!(error.message.contains("no space left on device"), "{error}");
    let proposed = soon(third.create("b")).await.unwrap_err();
    assert_eq!(proposed.class, Class::Unavailable);
    second.create("c").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_the_log_keeps_a_node_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let first = Listening::with_seeds(&[]).await;
    let seeds = vec![first.address()];
    let place = Place { data_dir: Some(folder.path()), seeds, ..Place::default() };
    let second = Listening::at(place).await;
    let (first, second) = tokio::join!(first.enter(Some(2)), second.enter(Some(2)));
    second.create("a-name-that-is-found-again").await.unwrap();
    assert_eq!(second.started().incarnation, Incarnation(1));
    second.stop().await;

    let file = folder.path().join("control.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let name = b"a-name-that-is-found-again";
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at] ^= 2);
    std::fs::write(&file, bytes).unwrap();

    let opened = Control::open(Some(folder.path().to_owned())).await;
    let error = opened.err().unwrap();
    let named = format!("the file `{}`: the control database: DB corrupted: ", file.display());
    assert!(error.message.starts_with(&named), "{error}");
    drop(first);
}
