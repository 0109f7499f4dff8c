//! Nodes that are stopped in good order.

use serde_json::{Value, json};

use crate::process::Node;

fn nodes(node: &Node) -> Value {
    node.run(&["cluster", "status"]).json()["nodes"].take()
}

fn named<'a>(nodes: &'a Value, name: &str) -> &'a Value {
    nodes.as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
}

/// Three nodes and a row.
fn cluster() -> Vec<Node> {
    let cluster = Node::found(3);
    assert_eq!(cluster[0].run(&["map", "create", "notes", "--plain"]).code, Some(0));
    assert_eq!(cluster[0].run(&["map", "put", "notes", "a", "\"aGk=\""]).code, Some(0));
    cluster
}

/// Ends the third node by a signal. The others have been told then, and do not have to find out.
fn end_third(cluster: &mut Vec<Node>) {
    let third = cluster.pop().unwrap();
    third.running.signal("TERM");
    assert_eq!(third.running.wait(), Some(0));
    let shown = loop {
        let shown = nodes(&cluster[0]);
        // The last that it told them may be on its way still.
        if named(&shown, "n3")["state"] == "down" {
            break shown;
        }
    };
    let third = named(&shown, "n3");
    assert_eq!(
        (&third["state"], &third["primaries"], &third["backups"]),
        (&json!("down"), &json!(0), &json!(0))
    );
    let row = cluster[1].run(&["map", "get", "notes", "a"]);
    assert_eq!(row.code, Some(0), "{row:?}");
}

#[test]
fn a_node_is_drained_and_then_stopped() {
    let mut cluster = cluster();
    let refusal = cluster[0].run(&["cluster", "drain", "n4"]).refusal(1);
    assert_eq!(refusal["message"], "no node of this cluster has the id or the name `n4`");
    let drained = cluster[0].run(&["cluster", "drain", "n3"]).json();
    assert_eq!((&drained["name"], &drained["state"]), (&json!("n3"), &json!("drained")));
    let shown = nodes(&cluster[0]);
    assert_eq!(named(&shown, "n3")["primaries"], 0);
    assert_eq!(cluster[2].run(&["health", "safe-to-stop"]).json(), json!({ "safe_to_stop": true }));
    end_third(&mut cluster);
}

#[test]
fn a_node_that_is_told_to_end_drains_itself() {
    end_third(&mut cluster());
}
