//! What users get wrong: each refusal names the thing, and nothing is half-done.

use std::fs;

use serde_json::json;

use crate::{process::Node, tour::screening};

#[test]
fn a_row_that_does_not_fit_is_refused() {
    let node = Node::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("m.schema.toml");
    fs::write(
        &schema,
        "format = 1\nmap = \"m\"\nkind = \"feature\"\nkey = { name = \"id\", type = \"i64\" }\ncolumns = [\n\
         { name = \"amount\", type = \"f64\", min = 0.0 },\n{ name = \"note\", type = \"str\", nullable = true },\n]\n\
         scores = [{ name = \"risk\", type = \"f32\" }]\n",
    )
    .unwrap();
    node.run(&["map", "create", "m", "--schema", schema.to_str().unwrap()]).json();
    for (key, row, named) in [
        ("1", r#"{"note": "x"}"#, "amount"),
        ("1", r#"{"amount": 1, "notte": "x"}"#, "notte"),
        ("1", r#"{"amount": "much"}"#, "amount"),
        ("1", r#"{"amount": -1}"#, "amount"),
        ("1", r#"{"amount": 1, "risk": 0.5}"#, "risk"),
        ("1", "[1]", "[1]"),
        ("one", r#"{"amount": 1}"#, "one"),
    ] {
        let refusal = node.run(&["map", "put", "m", key, row]).refusal(1);
        assert_eq!(refusal["class"], "invalid", "{row}");
        assert!(refusal["message"].as_str().unwrap().contains(named), "{refusal}");
    }
    assert_eq!(node.run(&["map", "size", "m"]).json(), json!({ "size": 0 }));
    let long = "k".repeat(2000);
    node.run(&["map", "create", "plain", "--plain"]).json();
    assert_eq!(node.run(&["map", "put", "plain", &long, "\"aGk=\""]).refusal(1)["class"], "invalid");
    assert_eq!(node.run(&["map", "put", "plain", "k", "{}"]).refusal(1)["class"], "invalid");
}

#[test]
fn names_that_are_not_there_come_with_the_nearest() {
    let node = screening();
    let refusal = node.run(&["map", "size", "screning"]).refusal(1);
    assert_eq!(refusal["class"], "not_found");
    assert!(refusal.to_string().contains("screening"), "{refusal}");
    let refusal = node.run(&["map", "query", "screening", "--where", "mean_radus > 1"]).refusal(1);
    assert!(refusal.to_string().contains("mean_radius"), "{refusal}");
    let refusal = node.run(&["model", "show", "breast-cancr"]).refusal(1);
    assert!(refusal.to_string().contains("breast-cancer"), "{refusal}");
    let conflict = node.run(&["map", "create", "screening", "--plain"]).refusal(1);
    assert_eq!(conflict["class"], "conflict");
}

#[test]
fn a_broken_line_stops_a_load_before_its_first_row() {
    let node = screening();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.csv");
    let data = fs::read_to_string("models/breast-cancer/data.csv").unwrap();
    let mut lines: Vec<&str> = data.lines().collect();
    lines[7] = "seven,oops";
    fs::write(&file, lines.join("\n")).unwrap();
    let file = file.to_str().unwrap();

    let refusal = node.run(&["map", "load", "screening", file, "--key", "id"]).refusal(1);
    assert!(refusal["message"].as_str().unwrap().contains("line 8"), "{refusal}");
    assert_eq!(node.run(&["map", "size", "screening"]).json(), json!({ "size": 0 }));

    let loaded = node.run(&["map", "load", "screening", file, "--key", "id", "--skip-errors"]).json();
    assert_eq!((&loaded["acknowledged"], &loaded["skipped"]), (&json!(568), &json!(1)));

    let refusal = node.run(&["map", "load", "screening", file, "--key", "idd"]).refusal(1);
    assert!(refusal["hint"].as_str().unwrap().contains("--key id"), "{refusal}");
}

#[test]
fn a_model_that_is_none_changes_nothing() {
    let node = Node::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty.onnx", &b""[..]), ("noise.onnx", &[0x5a; 4096])] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let refusal = node.run(&["model", "deploy", "x", file.to_str().unwrap()]).refusal(1);
        assert_eq!(refusal["class"], "invalid", "{name}");
        assert!(refusal["message"].as_str().unwrap().contains(name), "{refusal}");
    }
    assert_eq!(node.run(&["model", "list"]).json(), json!({ "models": [] }));
}
