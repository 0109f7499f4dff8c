use std::{fs, io::Write};

use super::*;
use crate::model::{Backend, Data};

fn breast_cancer() -> Local {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/breast-cancer/1");
    Local::load(&folder, Backend::default()).expect("a bundled model")
}

/// The first two rows of the bundled data, written to a file of this name.
fn rows(name: &str, write: impl FnOnce(&[&str], &[Vec<&str>]) -> Vec<u8>) -> Result<Vec<Batch>> {
    let local = breast_cancer();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/breast-cancer/data.csv");
    let text = fs::read_to_string(data).expect("the bundled data");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let lines: Vec<Vec<&str>> = lines.take(2).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, write(&header, &lines)).expect("written");
    read(&path, &local)?.collect()
}

fn features<'a>(header: &[&str], line: &[&'a str]) -> Vec<(String, &'a str)> {
    let cells = header.iter().map(ToString::to_string).zip(line.iter().copied());
    cells.filter(|(name, _)| name != "id" && name != "diagnosis").collect()
}

fn csv_text(header: &[&str], lines: &[Vec<&str>]) -> Vec<u8> {
    let lines = [header.to_vec()].into_iter().chain(lines.iter().cloned());
    lines.map(|line| line.join(",")).collect::<Vec<_>>().join("\n").into_bytes()
}

fn jsonl_text(header: &[&str], lines: &[Vec<&str>]) -> Vec<u8> {
    let object = |line: &Vec<&str>| {
        let fields = features(header, line).into_iter().map(|(name, cell)| format!("{name:?}: {cell}"));
        format!("{{{}}}\n", fields.collect::<Vec<_>>().join(", "))
    };
    lines.iter().map(object).collect::<String>().into_bytes()
}

fn npy_bytes(header: &[&str], lines: &[Vec<&str>]) -> Vec<u8> {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 30), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    for line in lines {
        for (_, cell) in features(header, line) {
            bytes.write_all(&cell.parse::<f32>().expect("a number").to_le_bytes()).expect("a Vec");
        }
    }
    bytes
}

#[test]
fn every_format_gives_the_same_rows() {
    let from_csv = rows("a.csv", csv_text).expect("read");
    assert_eq!((from_csv.len(), from_csv[0].rows), (1, 2));
    assert_eq!(from_csv[0].inputs[0].shape, [2, 30]);
    let Data::F32(data) = &from_csv[0].inputs[0].data else { panic!("f32") };
    assert_eq!(data.len(), 60);
    assert_eq!(rows("a.jsonl", jsonl_text).expect("read"), from_csv);
    assert_eq!(rows("a.npy", npy_bytes).expect("read"), from_csv);
}

#[test]
fn what_does_not_fit_is_named() {
    let refused = |name: &str, bytes: &'static [u8]| {
        rows(name, |_, _| bytes.to_vec()).expect_err("refused").message.into_owned()
    };
    assert!(refused("a.csv", b"mean_radis\n1\n").ends_with("there is no column `mean_radius`"));
    assert!(refused("a.jsonl", b"{\"mean_radius\": 1}").ends_with("line 1: `mean_texture` is missing"));
    assert!(
        refused("a.jsonl", b"{\"mean_radius\": \"x\"}")
            .ends_with("column `mean_radius`: \"x\" is no value for it")
    );
    assert!(refused("a.npy", b"nonsense").ends_with("this is no .npy file"));
    assert!(refused("a.txt", b"").ends_with("its name does not say its format"));
}
