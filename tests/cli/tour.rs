//! The tour of the README: patients screened as they are loaded.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::process::Node;

const SCHEMA: &str = "cluster/screening.schema.toml";
const MODEL: &str = "models/breast-cancer/1";
const DATA: &str = "models/breast-cancer/data.csv";
const MALIGNANT: &str = "malignant > 0.9";

/// The tour's binding, whose deadline a machine that does everything at once cannot miss.
fn patient_binding() -> String {
    let text = fs::read_to_string("cluster/screening.binding.toml").unwrap();
    assert!(text.contains("deadline_ms = 50\n"));
    text.replace("deadline_ms = 50\n", "deadline_ms = 60000\n")
}

/// A node with the map, the model and the binding of the tour.
pub(crate) fn screening() -> Node {
    let node = Node::start(&[]);
    node.run(&["map", "create", "screening", "--schema", SCHEMA]).json();
    let deployed = node.run(&["model", "deploy", "breast-cancer", MODEL, "--alias", "champion"]).json();
    assert_eq!(
        (&deployed["version"], &deployed["alias"], &deployed["nodes"]),
        (&json!(1), &json!("champion"), &json!(1))
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("binding.toml");
    fs::write(&file, patient_binding()).unwrap();
    let applied = node.run(&["binding", "apply", file.to_str().unwrap()]).json();
    assert_eq!((&applied["binding"], &applied["unscored"]), (&json!("screening-malignant"), &json!(0)));
    node
}

fn keys(lines: &[Value]) -> BTreeSet<i64> {
    lines.iter().map(|line| line["key"].as_i64().unwrap()).collect()
}

#[test]
fn the_tour() {
    let node = screening();
    let mut subscriber = node.spawn(&["subscribe", "screening", "--where", MALIGNANT]);
    assert_eq!(subscriber.line()["event"], "snapshot_end");

    let loaded = node.run(&["map", "load", "screening", DATA, "--key", "id"]).json();
    assert_eq!(
        (&loaded["read"], &loaded["acknowledged"], &loaded["scored"], &loaded["skipped"]),
        (&json!(569), &json!(569), &json!(569), &json!(0))
    );
    assert_eq!(node.run(&["map", "size", "screening"]).json(), json!({ "size": 569 }));

    let alerts = keys(&node.run(&["map", "query", "screening", "--where", MALIGNANT]).lines());
    assert!(!alerts.is_empty());
    let mut told = BTreeSet::new();
    while told.len() < alerts.len() {
        let event = subscriber.line();
        if event["event"] == "bookmark" {
            continue;
        }
        assert_eq!(event["event"], "added");
        assert!(event["row"]["malignant"].as_f64().unwrap() > 0.9);
        assert!(told.insert(event["key"].as_i64().unwrap()), "{event} came twice");
    }
    assert_eq!(told, alerts);
    subscriber.signal("INT");
    assert_eq!(subscriber.wait(), Some(0));

    single_rows(&node);
    definitions(&node);
}

/// One row, in the shapes of the interface.
fn single_rows(node: &Node) {
    // Its score is not at either end: another radius changes it.
    let got = node.run(&["map", "get", "screening", "6"]).json();
    let lineage = &got["lineage"][0];
    assert_eq!(lineage["binding"], "screening-malignant");
    assert_eq!((&lineage["model"], &lineage["model_version"]), (&json!("breast-cancer"), &json!(1)));
    assert_eq!(lineage["row_version"], got["version"]);

    let mut row = got["row"].clone();
    row.as_object_mut().unwrap().remove("malignant");
    let put = node.run(&["map", "put", "screening", "6", &row.to_string()]).json();
    assert_eq!(put["old"], got["row"]);
    let score = &put["scores"][0];
    assert_eq!(score["values"]["malignant"], got["row"]["malignant"]);
    assert_eq!(
        (&score["binding"], &score["model"], &score["model_version"]),
        (&json!("screening-malignant"), &json!("breast-cancer"), &json!(1))
    );

    let executed = node.run(&["execute", "screening", "6", "SET mean_radius = mean_radius + 1"]).json();
    let radius = got["row"]["mean_radius"].as_f64().unwrap();
    assert_eq!(executed["row"]["mean_radius"].as_f64().unwrap(), radius + 1.0);
    assert_ne!(executed["row"]["malignant"], got["row"]["malignant"], "an update is scored like a put");

    let removed = node.run(&["map", "remove", "screening", "6"]).json();
    assert_eq!(removed, json!({ "key": 6, "old": executed["row"] }));
    assert_eq!(node.run(&["map", "get", "screening", "6"]).refusal(1)["class"], "not_found");
    assert_eq!(node.run(&["map", "remove", "screening", "6"]).json(), json!({ "key": 6, "old": null }));
}

fn definitions(node: &Node) {
    let maps = node.run(&["map", "list"]).json();
    assert_eq!(maps["maps"][0]["bindings"], json!(["screening-malignant"]));
    let models = node.run(&["model", "list"]).json();
    assert_eq!(
        models["models"],
        json!([{ "name": "breast-cancer", "versions": [1], "aliases": { "champion": 1 } }])
    );
    let shown = node.run(&["model", "show", "breast-cancer"]).json();
    assert_eq!(shown["versions"][0]["inputs"][0]["features"].as_array().unwrap().len(), 30);
    let alias = node.run(&["model", "alias", "breast-cancer", "canary", "1"]).json();
    assert_eq!(alias, json!({ "name": "breast-cancer", "alias": "canary", "version": 1 }));
    let bindings = node.run(&["binding", "list"]).json();
    assert_eq!(bindings["bindings"][0]["model"], "breast-cancer@champion");
    assert_eq!(node.run(&["binding", "delete", "screening-malignant"]).code, Some(0));
    assert_eq!(node.run(&["map", "drop", "screening"]).code, Some(0));
    assert_eq!(node.run(&["map", "size", "screening"]).refusal(1)["class"], "not_found");
}

#[test]
fn a_subscription_goes_on_from_its_token() {
    let node = Node::start(&[]);
    node.run(&["map", "create", "notes", "--plain"]).json();
    let put = |key: &str| node.run(&["map", "put", "notes", key, "\"aGk=\""]).json();
    put("a");
    let first = node.run(&["subscribe", "notes", "--limit", "1"]).lines();
    assert_eq!(
        (&first[0]["event"], &first[0]["key"], &first[0]["row"]),
        (&json!("snapshot"), &json!("a"), &json!("aGk="))
    );
    let mut subscriber = node.spawn(&["subscribe", "notes", "--no-snapshot"]);
    assert_eq!(subscriber.line()["event"], "bookmark", "where it begins");
    put("b");
    let token = loop {
        let event = subscriber.line();
        if event["key"] == "b" {
            break event["token"].as_str().unwrap().to_owned();
        }
    };
    drop(subscriber);
    put("c");
    let next = node.run(&["subscribe", "notes", "--from", &token, "--limit", "1"]).lines();
    assert_eq!(
        (&next.last().unwrap()["event"], &next.last().unwrap()["key"]),
        (&json!("added"), &json!("c"))
    );
    assert_eq!(node.run(&["subscribe", "notes", "--timeout", "0"]).code, Some(0));
}

#[test]
fn the_load_generator_measures_every_row() {
    let node = Node::start(&[]);
    for arguments in [
        vec!["bench", "set", "--requests", "500", "--callers", "4"],
        vec!["bench", "set", "--requests", "500", "--callers", "2", "--batch", "16", "--connections", "2"],
        vec!["bench", "get", "--requests", "500", "--callers", "4", "--batch", "16"],
        vec!["bench", "get", "--requests", "200", "--callers", "2", "--rate", "2000"],
    ] {
        let report = node.run(&arguments).json();
        assert_eq!(report["errors"], 0, "{arguments:?}");
        for name in ["ops_per_s", "p50_us", "p99_us", "p999_us", "cpu_us_per_op"] {
            assert!(report[name].as_f64().unwrap() > 0.0, "{name} of {report}");
        }
    }
    assert_eq!(node.run(&["map", "size", "bench"]).json(), json!({ "size": 500 }));

    let screening = screening();
    let load = ["--callers", "4", "--requests", "600", "--batch", "64"];
    let of = ["bench", "score", "--map", "screening", "--rows", DATA, "--key", "id"];
    let report = screening.run(&[&of[..], &load].concat()).json();
    assert_eq!(
        (&report["errors"], &report["callers"], &report["connections"]),
        (&json!(0), &json!(4), &json!(1))
    );
}

#[test]
fn a_reader_that_has_enough_ends_a_command_quietly() {
    let node = screening();
    node.run(&["map", "load", "screening", DATA, "--key", "id"]).json();
    let command = format!(
        "{} --addr {} map query screening --where 'mean_radius > 0' | head -1",
        env!("CARGO_BIN_EXE_embergrid"),
        node.address
    );
    let ended = std::process::Command::new("bash").args(["-o", "pipefail", "-c", &command]).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(0), String::new()));
}
