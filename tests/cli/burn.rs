//! A model trained with burn, by the command line alone.

use std::fs;

use serde_json::{Value, json};

use crate::process::{Node, run};

const MODEL: &str = "models/digits-burn/1";
const DATA: &str = "models/digits/data.csv";

#[test]
fn a_burn_model_is_deployed_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let node = Node::start(&["--data-dir", data]);
    node.run(&["map", "create", "digits", "--schema", "cluster/digits.schema.toml"]).json();
    let deployed = node.run(&["model", "deploy", "digits-burn", MODEL, "--alias", "champion"]).json();
    assert_eq!((&deployed["version"], &deployed["alias"]), (&json!(1), &json!("champion")));
    // A machine that does everything at once cannot miss this deadline.
    let binding = fs::read_to_string("cluster/digits-burn.binding.toml").unwrap();
    let file = folder.path().join("binding.toml");
    fs::write(&file, binding.replace("deadline_ms = 50\n", "deadline_ms = 60000\n")).unwrap();
    node.run(&["binding", "apply", file.to_str().unwrap()]).json();
    node.running.signal("TERM");
    assert_eq!(node.running.wait(), Some(0));

    let again = Node::start(&["--data-dir", data]);
    let loaded = again.run(&["map", "load", "digits", DATA, "--key", "id"]).json();
    assert_eq!((&loaded["acknowledged"], &loaded["scored"]), (&json!(1797), &json!(1797)));
    let zero = again.run(&["map", "get", "digits", "1"]).json();
    assert!(zero["row"]["is_0"].as_f64().unwrap() > 0.9, "{zero}");
}

#[test]
fn a_burn_model_is_run_and_measured_without_a_node() {
    for model in [MODEL, "models/digits-burn/1/model.safetensors"] {
        let rows = run(&["--json", "model", "run", model, "--input", DATA]).lines();
        let first = rows[0]["outputs"]["probabilities"].as_array().unwrap();
        assert_eq!((rows.len(), first.len()), (1797, 10));
        assert!(first[0].as_f64().unwrap() > 0.9, "{first:?}");
    }
    let cells = run(&["--json", "model", "bench", MODEL, "--batch", "8"]).json();
    assert_eq!(cells[0]["batch"], 8);
    let report = run(&["--json", "model", "verify", MODEL, "--rtol", "1e-5", "--backend", "ndarray"]).json();
    assert_eq!((&report["ok"], &report["cases"][0]["name"]), (&json!(1), &Value::from(".")));
}
