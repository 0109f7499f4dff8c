//! Arguments, help and exit codes, with no node in sight.

use crate::process::run;

/// An address where nothing listens.
const NOWHERE: &str = "127.0.0.1:1";

#[test]
fn every_help_ends_with_its_example() {
    for command in [
        vec![],
        vec!["demo"],
        vec!["init"],
        vec!["node"],
        vec!["map"],
        vec!["map", "create"],
        vec!["map", "list"],
        vec!["map", "drop"],
        vec!["map", "size"],
        vec!["map", "put"],
        vec!["map", "get"],
        vec!["map", "remove"],
        vec!["map", "load"],
        vec!["map", "query"],
        vec!["model", "deploy"],
        vec!["model", "list"],
        vec!["model", "show"],
        vec!["model", "alias"],
        vec!["model", "verify"],
        vec!["model", "run"],
        vec!["model", "bench"],
        vec!["binding", "apply"],
        vec!["binding", "list"],
        vec!["binding", "delete"],
        vec!["job", "score"],
        vec!["job", "list"],
        vec!["job", "show"],
        vec!["job", "pause"],
        vec!["job", "resume"],
        vec!["job", "cancel"],
        vec!["subscribe"],
        vec!["execute"],
        vec!["cluster", "status"],
        vec!["bench", "set"],
        vec!["bench", "get"],
        vec!["bench", "score"],
    ] {
        let help = run(&[&command[..], &["--help"]].concat());
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{command:?}");
        let (_, example) = help.stdout.rsplit_once("Example:\n").unwrap_or_else(|| panic!("{command:?}"));
        assert!(
            example
                .trim()
                .starts_with(&["embergrid"].iter().chain(&command).copied().collect::<Vec<_>>().join(" "))
        );
        assert_eq!(example.trim().lines().count(), 1, "{command:?}");
    }
}

#[test]
fn wrong_usage_is_2_and_says_so_in_json() {
    for arguments in [
        vec!["frob"],
        vec!["map"],
        vec!["map", "create", "m"],
        vec!["map", "get"],
        vec!["map", "query", "m", "--where", "a > 1", "--limit", "x"],
        vec!["bench", "set", "--callers", "0"],
        vec!["subscribe", "m", "--timeout", "-1"],
        vec!["map", "put", "m", "k", "{oops"],
    ] {
        let refusal = run(&[&["--json"], &arguments[..]].concat()).refusal(2);
        assert_eq!(refusal["class"], "invalid", "{arguments:?}");
        assert!(!refusal["message"].as_str().unwrap().is_empty());
    }
    let plain = run(&["map", "frob"]);
    assert_eq!((plain.code, plain.stdout.as_str()), (Some(2), ""));
    assert!(plain.stderr.starts_with("error: unrecognized subcommand 'frob'"), "{}", plain.stderr);
}

#[test]
fn an_unreachable_cluster_is_3() {
    let ended = run(&["--json", "--addr", NOWHERE, "map", "list"]);
    let refusal = ended.refusal(3);
    assert_eq!(refusal["class"], "unavailable");
    assert!(refusal["message"].as_str().unwrap().contains(NOWHERE));
    assert_eq!(ended.stdout, "");
    let people = run(&["--addr", NOWHERE, "map", "list"]);
    assert!(people.stderr.starts_with(&format!("error: cannot reach {NOWHERE}")), "{}", people.stderr);
    assert!(people.stderr.contains("\n hint: "), "{}", people.stderr);
}

#[test]
fn a_missing_file_is_named() {
    let refusal = run(&["--json", "map", "create", "m", "--schema", "no/such.toml"]).refusal(1);
    assert_eq!(refusal["message"], "no/such.toml: no such file");
    assert_eq!(refusal["class"], "not_found");
}
