//! Flipped bits in a real data folder: what is damaged is named, and what to do.

use std::{fs, path::Path};

use bytes::Bytes;
use openraft::storage::RaftLogStorage;

use super::{dice::Dice, runtime};
use crate::{
    control::{Blobs, Control, disk::Fact, folder::Folder, log::Log, raft::Vote},
    types::{Digest, Error},
};

/// A file with one bit after the other flipped, and at last as it was.
fn flip_each(file: &Path, mut look: impl FnMut(usize)) {
    let whole = fs::read(file).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(file, flipped).unwrap();
        look(bit);
    }
    fs::write(file, whole).unwrap();
}

fn is_named(error: &Error, file: &Path, bit: usize) {
    assert!(error.message.contains(&file.display().to_string()), "bit {bit}: {error}");
    assert!(error.hint.is_some(), "bit {bit}: {error}");
}

#[test]
fn a_node_whose_id_is_damaged_does_not_take_another() {
    let folder = tempfile::tempdir().unwrap();
    let node = Folder::open(folder.path()).unwrap().node();
    let file = folder.path().join("node.toml");
    flip_each(&file, |bit| match Folder::open(folder.path()) {
        Err(error) => is_named(&error, &file, bit),
        Ok(opened) => panic!("bit {bit}: {node} is {} now", opened.node()),
    });
    assert_eq!(Folder::open(folder.path()).unwrap().node(), node);
}

#[test]
fn what_release_0_1_wrote_is_read_and_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    fs::write(folder.path().join("control.redb"), "").unwrap();
    fs::write(&file, "format = 1\nnode = \"00000000000000ab\"\n").unwrap();
    assert_eq!(Folder::open(folder.path()).unwrap().node().0, 0xab);
    assert!(fs::read_to_string(&file).unwrap().contains("\nsum = \""));
    assert_eq!(Folder::open(folder.path()).unwrap().node().0, 0xab);
}

#[test]
fn a_damaged_model_is_named_and_mended_by_deploying_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path()).unwrap();
    let bytes = Bytes::from_static(b"a model of no great length");
    let digest = Digest::of(&bytes);
    let runtime = runtime();
    runtime.block_on(blobs.put(bytes.clone())).unwrap();
    let file = folder.path().join("models").join(digest.to_string());
    flip_each(&file, |bit| {
        let error = runtime.block_on(blobs.read(digest)).unwrap_err();
        is_named(&error, &file, bit);
    });
    fs::write(&file, b"a model of no Great length").unwrap();
    runtime.block_on(blobs.put(bytes.clone())).unwrap();
    assert_eq!(runtime.block_on(blobs.read(digest)), Ok(Some(bytes)));
}

#[test]
fn a_damaged_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("control.redb");
    let open = || runtime().block_on(Control::open(Some(folder.path().to_owned())));
    let opened = open().unwrap();
    runtime().block_on(Log::new(opened.disk.clone()).save_vote(&Vote::new(3, 1))).unwrap();
    drop(opened);
    let whole = fs::read(&file).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|byte| whole[*byte] != 0).collect();
    let mut dice = Dice::new(1);
    let mut noticed = 0;
    for _ in 0..40 {
        let byte = used[dice.below(used.len())];
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << dice.below(8);
        fs::write(&file, flipped).unwrap();
        match open() {
            Err(error) => {
                is_named(&error, &file, byte);
                noticed += 1;
            }
            Ok(opened) => {
                let vote: Option<Vote> = opened.disk.fact(Fact::Vote).unwrap();
                assert_eq!(vote, Some(Vote::new(3, 1)), "byte {byte}");
            }
        }
    }
    assert!(noticed >= 5, "{noticed}");
}

#[test]
fn a_file_that_is_gone_is_named() {
    for gone in ["node.toml", "control.redb"] {
        let folder = tempfile::tempdir().unwrap();
        let open = || runtime().block_on(Control::open(Some(folder.path().to_owned())));
        drop(open().unwrap());
        let file = folder.path().join(gone);
        fs::remove_file(&file).unwrap();
        let error = open().err().unwrap();
        assert_eq!(error.message, format!("the file `{}` is missing", file.display()));
        assert!(error.hint.is_some());
    }
}

/// The process may end between any two steps of the first start.
#[test]
fn a_first_start_that_was_interrupted_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("control.redb"), "").unwrap();
    fs::write(folder.path().join("node.toml.part"), "format = 1").unwrap();
    let node = runtime().block_on(Control::open(Some(folder.path().to_owned()))).unwrap().node();
    fs::remove_file(folder.path().join("control.redb")).unwrap();
    fs::write(folder.path().join("control.redb"), "").unwrap();
    let again = runtime().block_on(Control::open(Some(folder.path().to_owned()))).unwrap().node();
    assert_eq!(node, again);
}
