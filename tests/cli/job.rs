//! Rows that were stored before their map was bound, scored by a job.

use serde_json::{Value, json};

use crate::process::Node;

const DATA: &str = "models/breast-cancer/data.csv";
const BINDING: &str = "screening-malignant";

/// A node whose 569 patients were loaded before anything scored them.
fn unscored() -> Node {
    let node = Node::start(&[]);
    node.run(&["map", "create", "screening", "--schema", "cluster/screening.schema.toml"]).json();
    node.run(&["model", "deploy", "breast-cancer", "models/breast-cancer/1", "--alias", "champion"]).json();
    let loaded = node.run(&["map", "load", "screening", DATA, "--key", "id"]).json();
    assert_eq!((&loaded["acknowledged"], &loaded["scored"]), (&json!(569), &json!(0)));
    node
}

/// What a job says of itself, the time it took left out.
fn figures(mut job: Value) -> Value {
    assert!(job["seconds"].as_f64().unwrap() >= 0.0);
    job.as_object_mut().unwrap().remove("seconds");
    job
}

#[test]
fn a_job_scores_what_a_binding_found_unscored() {
    let node = unscored();
    let applied = node.run(&["binding", "apply", "cluster/screening.binding.toml"]);
    let job = "job score screening --binding screening-malignant";
    assert!(applied.stderr.contains(&format!("`embergrid {job}`")), "{applied:?}");
    let applied = applied.json();
    assert_eq!((&applied["unscored"], &applied["job"]), (&json!(569), &json!(job)));

    let some = ["--where", "diagnosis = 'malignant'"];
    let scored = node.run(&[&["job", "score", "screening", "--binding", BINDING][..], &some].concat()).json();
    let expected = json!({
        "job": 1, "map": "screening", "binding": BINDING, "where": "diagnosis = 'malignant'", "state": "done",
        "total": 212, "done": 212, "refused": 0, "reason": null, "refusal": null,
    });
    assert_eq!(figures(scored), expected);
    let left = node.run(&["map", "query", "screening", "--where", "malignant is null"]).lines();
    assert_eq!(left.len(), 357);

    // Left to itself, and followed from outside.
    let words: Vec<&str> = job.split(' ').chain(["--detach"]).collect();
    let started = node.run(&words);
    assert!(started.stderr.contains("embergrid job cancel 2"), "{started:?}");
    assert_eq!(started.json()["job"], 2);
    let done = loop {
        let shown = node.run(&["job", "show", "2"]).json();
        if shown["state"] != "running" {
            break figures(shown);
        }
    };
    assert_eq!((&done["state"], &done["total"], &done["done"]), (&json!("done"), &json!(569), &json!(569)));
    assert_eq!(node.run(&["map", "query", "screening", "--where", "malignant is null"]).lines().len(), 0);
    let jobs = node.run(&["job", "list"]).json()["jobs"].clone();
    assert_eq!(jobs.as_array().unwrap().iter().cloned().map(figures).collect::<Vec<_>>(), [expected, done]);
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason() {
    let node = unscored();
    node.run(&["binding", "apply", "cluster/screening.binding.toml"]).json();
    let score = |binding: &str, condition: &str| {
        let ended = node.run(&["job", "score", "screening", "--binding", binding, "--where", condition]);
        let refusal = ended.refusal(1);
        (refusal["class"].as_str().unwrap().to_owned(), refusal["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(score("screening", "true").0, "not_found");
    let (class, message) = score(BINDING, "mean_radius");
    assert_eq!(class, "invalid");
    assert!(message.contains("not a condition"), "{message}");
    for verb in ["show", "pause", "resume", "cancel"] {
        assert_eq!(node.run(&["job", verb, "7"]).refusal(1)["class"], "not_found", "{verb}");
    }
    node.run(&["job", "score", "screening", "--binding", BINDING]).json();
    for verb in ["pause", "resume", "cancel"] {
        assert_eq!(node.run(&["job", verb, "1"]).refusal(1)["class"], "conflict", "{verb}");
    }
}
