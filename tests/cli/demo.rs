//! The demo proves itself.

use crate::process::run;

#[test]
fn a_short_demo_loses_nothing() {
    let report = prove(&["demo", "--seconds", "1", "--nodes", "1", "--json"]);
    assert!(report["failover_ms"].is_null());
}

#[test]
fn a_demo_whose_busiest_node_is_killed_loses_nothing() {
    let report = prove(&["demo", "--seconds", "4", "--json"]);
    assert!(report["failover_ms"].as_f64().unwrap() > 0.0);
}

fn prove(arguments: &[&str]) -> serde_json::Value {
    let report = run(arguments).json();
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name} of {report}"));
    assert!(number("sent") > 0);
    assert_eq!(number("acknowledged"), number("sent"));
    assert_eq!(number("scored"), number("sent"));
    assert_eq!((number("lost"), number("wrong_scores")), (0, 0));
    assert!(report["scored_per_s"].as_f64().unwrap() > 0.0);
    assert!(number("p50_us") <= number("p99_us"));
    assert_eq!(report.as_object().unwrap().len(), 10);
    report
}

#[test]
fn simulated_payments_are_written_alike_for_a_seed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: &str| {
        let file = folder.path().join(name);
        let path = file.to_str().unwrap();
        run(&["demo", "--write-payments", path, "--rows", "50", "--seed", seed, "--json"]).json();
        std::fs::read_to_string(file).unwrap()
    };
    let first = write("a.csv", "7");
    assert_eq!(first.lines().count(), 51);
    assert_eq!(first, write("b.csv", "7"));
    assert_ne!(first, write("c.csv", "8"));
}
