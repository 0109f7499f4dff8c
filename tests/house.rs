//! The rules of the house, read from the table in `src/lib.rs` and checked against every source file.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A file past this length must become a folder.
const LONGEST_FILE: usize = 700;

/// What a PURE room must not name: whatever it needs of these arrives as an argument.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::thread",
    "std::net",
    "std::env",
    "std::process",
    "rand::",
    "rand_chacha",
    "RandomState::new",
    "thread_rng",
];

/// Reading a clock, which belongs to one file.
const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"];

/// The one file that may read the clock without saying why.
const CLOCK: &str = "src/node/clock.rs";

/// Rooms at the edge, which may read tokio's clock (a test can hold it still), or another where an `allow` states its reason.
const EDGE: &[&str] = &["cli", "client", "net"];

/// Crates that only one room may name, so that they can be replaced.
const FENCED: &[(&str, &str)] = &[
    ("bincode::", "net"),
    ("burn_", "model"),
    ("dashmap::", "store"),
    ("openraft::", "control"),
    ("quinn", "net"),
    ("rcgen::", "net"),
    ("rustls::", "net"),
    ("sqlparser::", "expr"),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "manager", "helper", "helpers", "misc"];

/// One row of the table.
struct Room {
    level: String,
    pure: bool,
    imports: String,
}

/// One source file, its comments removed.
struct Source {
    path: String,
    room: String,
    code: String,
    lines: usize,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> BTreeMap<String, Room> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut level = String::new();
    let mut rooms = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [at, name, what, imports, ..] = cells[..] else { continue };
        if !name.contains('`') {
            continue;
        }
        if !at.is_empty() {
            level = at.to_owned();
        }
        let name = name.trim_matches(['[', ']', '`']).to_owned();
        let room = Room { level: level.clone(), pure: what.starts_with("PURE"), imports: imports.to_owned() };
        assert!(rooms.insert(name.clone(), room).is_none(), "{name} stands in the table twice");
    }
    rooms
}

/// The rooms that `name` may import, itself included.
fn allowed(rooms: &BTreeMap<String, Room>, name: &str) -> BTreeSet<String> {
    let mut allowed = BTreeSet::from([name.to_owned()]);
    for word in rooms[name].imports.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let before = allowed.len();
        allowed.extend(
            rooms
                .iter()
                .filter(|(room, row)| word == "all" || *room == word || row.level == word)
                .map(|(room, _)| room.clone()),
        );
        assert!(allowed.len() > before, "the table lets {name} import {word}, which names no room");
    }
    allowed
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join("src"), &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let room = path.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
            let code =
                text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
            Source { path, room, code, lines: text.lines().count() }
        })
        .filter(|source| source.room != "lib" && source.room != "main")
        .collect()
}

/// The first segments of every path that starts with `crate::`, groups in braces included.
fn imported(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group)),
            None => found.push(word(rest)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The first segment of each path in a group whose opening brace has been read.
fn heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0usize, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && depth == 0 && !letter.is_whitespace() => {
                heads.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Fails with every finding at once, so that one run shows all there is to mend.
fn report(findings: &[String]) {
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(text, "  {finding}");
    }
    assert!(findings.is_empty(), "the house has {} broken rule(s):\n{text}", findings.len());
}

#[test]
fn every_room_stands_in_the_table() {
    let rooms = table();
    let found: BTreeSet<String> = sources().into_iter().map(|source| source.room).collect();
    assert_eq!(rooms.keys().cloned().collect::<BTreeSet<_>>(), found);
}

#[test]
fn imports_follow_the_table() {
    let rooms = table();
    let mut findings = Vec::new();
    for source in sources() {
        let allowed = allowed(&rooms, &source.room);
        let used: BTreeSet<String> = imported(&source.code).into_iter().collect();
        for name in used.iter().filter(|name| rooms.contains_key(*name) && !allowed.contains(*name)) {
            findings.push(format!("{} imports {name}, which the table does not allow", source.path));
        }
    }
    report(&findings);
}

#[test]
fn pure_rooms_name_nothing_impure() {
    let rooms = table();
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| rooms[&source.room].pure) {
        for name in IMPURE.iter().filter(|name| source.code.contains(**name)) {
            findings.push(format!("{} is PURE and names {name}", source.path));
        }
    }
    report(&findings);
}

#[test]
fn one_file_reads_the_clock() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.path != CLOCK) {
        let stated = source.code.contains("clippy::disallowed_methods") && source.code.contains("reason =");
        let excused =
            EDGE.contains(&source.room.as_str()) && (stated || source.code.contains("tokio::time::"));
        for name in CLOCKS.iter().filter(|name| source.code.contains(**name) && !excused) {
            findings.push(format!("{} calls {name}: take `now` as an argument", source.path));
        }
    }
    report(&findings);
}

#[test]
fn fenced_crates_stay_in_their_room() {
    let mut findings = Vec::new();
    for source in sources() {
        for (name, room) in
            FENCED.iter().filter(|(name, room)| source.room != *room && source.code.contains(name))
        {
            findings.push(format!("{} names {name}, which belongs to {room}", source.path));
        }
    }
    report(&findings);
}

#[test]
fn files_are_short_and_named() {
    let mut findings = Vec::new();
    for source in sources() {
        if source.lines > LONGEST_FILE {
            findings.push(format!("{} has {} lines: make it a folder", source.path, source.lines));
        }
        let named = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
        if let Some(empty) = named.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            findings.push(format!("{}: `{empty}` says nothing about what is inside", source.path));
        }
    }
    report(&findings);
}

#[test]
fn groups_and_single_paths_are_read() {
    let code = "use crate::types::Key;\npub use crate::{row::{Schema, Row}, expr as e,\n topology};\nlet x = crate::store::Record;\nmycrate::no();";
    assert_eq!(imported(code), ["types", "row", "expr", "topology", "store"]);
}
