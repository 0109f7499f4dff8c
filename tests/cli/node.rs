//! A node's life: what it prints, how it refuses to start, how it ends.

use std::fs;

use serde_json::json;

use crate::process::{Node, run};

#[test]
fn a_node_ends_cleanly_at_either_signal() {
    for signal in ["INT", "TERM"] {
        let node = Node::start(&[]);
        assert_eq!(node.run(&["cluster", "status"]).json()["partitions"]["healthy"], 271);
        node.running.signal(signal);
        assert_eq!(node.running.wait(), Some(0), "{signal}");
    }
}

#[test]
fn a_signal_does_not_wait_for_subscribers() {
    let node = Node::start(&[]);
    assert_eq!(node.run(&["map", "create", "m", "--plain"]).code, Some(0));
    let mut subscriber = node.spawn(&["subscribe", "m"]);
    assert_eq!(subscriber.line()["event"], "snapshot_end");
    node.running.signal("TERM");
    assert_eq!(node.running.wait(), Some(0));
    subscriber.signal("INT");
    assert_eq!(subscriber.wait(), Some(0));
}

#[test]
fn health_is_told_by_the_exit_code() {
    let node = Node::start(&[]);
    assert_eq!(node.run(&["health"]).json(), json!({ "ready": true }));
    assert_eq!(node.run(&["health", "live"]).json(), json!({ "live": true }));
    assert_eq!(node.run(&["health", "safe-to-stop"]).json(), json!({ "safe_to_stop": true }));
    assert_eq!(node.run(&["map", "create", "notes", "--plain"]).code, Some(0));
    assert_eq!(node.run(&["map", "put", "notes", "a", "\"aGk=\""]).code, Some(0));
    let refusal = node.run(&["health", "safe-to-stop"]).refusal(1);
    assert_eq!(refusal["message"], "not safe to stop: 1 rows are in the memory of this node alone");
    let address = node.address.clone();
    drop(node);
    let refusal = run(&["--json", "--addr", &address, "health"]).refusal(3);
    assert_eq!(refusal["class"], "unavailable");
}

#[test]
fn a_port_in_use_is_named() {
    let node = Node::start(&[]);
    let refusal = run(&["--json", "node", "--listen", &node.address]).refusal(1);
    assert_eq!(refusal["class"], "conflict");
    assert!(refusal["message"].as_str().unwrap().contains(&node.address), "{refusal}");
    assert!(refusal["hint"].as_str().unwrap().contains("--listen"), "{refusal}");
}

#[test]
fn definitions_survive_a_restart_and_the_folder_has_one_node() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let node = Node::start(&["--data-dir", data]);
    assert_eq!(node.run(&["map", "create", "notes", "--plain"]).code, Some(0));
    assert_eq!(node.run(&["map", "put", "notes", "a", "\"aGk=\""]).code, Some(0));

    let refusal = run(&["--json", "node", "--listen", "127.0.0.1:0", "--data-dir", data]).refusal(1);
    assert!(refusal["message"].as_str().unwrap().contains(data), "{refusal}");

    node.running.signal("TERM");
    assert_eq!(node.running.wait(), Some(0));
    let again = Node::start(&["--data-dir", data]);
    let maps = again.run(&["map", "list"]).json();
    assert_eq!(maps["maps"][0]["map"], "notes");
    assert_eq!(again.run(&["map", "size", "notes"]).json(), json!({ "size": 0 }));
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    fs::write(&file, "[node]\nlissten = \"127.0.0.1:0\"\n").unwrap();
    let refusal = run(&["--json", "node", "--config", file.to_str().unwrap()]).refusal(1);
    assert_eq!(refusal["class"], "invalid");
    assert!(refusal["message"].as_str().unwrap().contains("lissten"), "{refusal}");
    assert!(refusal.to_string().contains("listen"), "{refusal}");
}
