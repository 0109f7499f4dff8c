use std::{ffi::OsString, fs};

use super::{Config, Flags, Settings};
use crate::types::Result;

fn load(file: Option<&str>, environment: &[(&str, &str)], flags: Flags) -> Result<Settings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    let config = file.map(|text| {
        fs::write(&path, text).unwrap();
        path.clone()
    });
    let environment: Vec<(OsString, OsString)> =
        environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Settings::load(&Flags { config, ..flags }, environment).map_err(|mut error| {
        error.message = error.message.replace(&path.display().to_string(), "node.toml").into();
        error
    })
}

fn refusal(file: Option<&str>, environment: &[(&str, &str)], flags: Flags) -> String {
    load(file, environment, flags).unwrap_err().to_string()
}

const SECRET: (&str, &str) = ("EMBERGRID_CLUSTER_SECRET", "0123456789abcdef");

#[test]
fn the_defaults_are_one_node_on_loopback() {
    let settings = load(None, &[], Flags::default()).unwrap();
    assert_eq!(settings.config, Config::default());
    assert_eq!(settings.listen, "127.0.0.1:7700");
    assert_eq!(settings.node.advertise, "127.0.0.1:7700");
    assert_eq!((settings.node.partition_count, settings.node.data_dir), (271, None));
}

#[test]
fn the_command_line_beats_the_environment_beats_the_file() {
    let file = "[node]\nname = \"f\"\nlisten = \"127.0.0.1:1\"\npartitions = 3\n[scoring]\ninline_us = 7\n";
    let environment = [
        ("EMBERGRID_NODE__NAME", "12"),
        ("EMBERGRID_NODE__LISTEN", "127.0.0.1:2"),
        ("EMBERGRID_SCORING__THREADS", "4"),
        ("EMBERGRID_TELEMETRY__FORMAT", "json"),
        ("EMBERGRID_SERVER__CALLS", "9"),
        ("EMBERGRID_MODELS__STEPS", "5"),
        ("EMBERGRID_ADDR", "127.0.0.1:9"),
        ("OTHER__THING", "x"),
    ];
    let flags = Flags { listen: Some("127.0.0.1:3".into()), data_dir: Some("d".into()), ..Flags::default() };
    let settings = load(Some(file), &environment, flags).unwrap();
    assert_eq!(settings.listen, "127.0.0.1:3");
    assert_eq!(settings.node.name.as_deref(), Some("12"));
    assert_eq!(settings.node.data_dir, Some("d".into()));
    assert_eq!((settings.node.partition_count, settings.node.inline_us), (3, 7));
    assert_eq!(settings.node.score_threads, Some(4));
    assert_eq!(
        (settings.server.calls, settings.server.frame_bytes),
        (9, crate::server::Limits::default().frame_bytes)
    );
    assert_eq!(settings.node.engine.limits.steps, 5);
    assert_eq!(settings.telemetry.format, crate::telemetry::Format::Json);
}

#[test]
fn what_is_printed_reads_back_the_same() {
    let environment = [SECRET, ("EMBERGRID_NODE__SEEDS", "127.0.0.1:7701, 127.0.0.1:7700")];
    let settings = load(None, &environment, Flags::default()).unwrap();
    let printed = settings.to_toml().unwrap();
    assert!(printed.contains("seeds = [\"127.0.0.1:7701\", \"127.0.0.1:7700\"]"), "{printed}");
    assert!(!printed.contains(SECRET.1));
    assert_eq!(load(Some(&printed), &[SECRET], Flags::default()).unwrap().config, settings.config);
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    assert_eq!(
        refusal(Some("[node]\nname = \"a\"\nlisten_on = \"x\"\n"), &[], Flags::default()),
        "node.toml:3: there is no key `listen_on` (did you mean `listen`?)"
    );
    assert_eq!(
        refusal(Some("[scorin]\n"), &[], Flags::default()),
        "node.toml:1: there is no key `scorin` (did you mean `scoring`?)"
    );
    assert_eq!(
        refusal(None, &[("EMBERGRID_NODE__DATADIR", "x")], Flags::default()),
        "the environment variable EMBERGRID_NODE__DATADIR: there is no key `datadir` (did you mean `data_dir`?)"
    );
    assert_eq!(
        refusal(None, &[("EMBERGRID_NOD__NAME", "x")], Flags::default()),
        "the environment variable EMBERGRID_NOD__NAME: there is no key `nod` (did you mean `node`?)"
    );
    let absent = Flags { config: Some("/nowhere/node.toml".into()), ..Flags::default() };
    let error = Settings::load(&absent, []).unwrap_err();
    assert!(error.message.starts_with("the settings file `/nowhere/node.toml` cannot be read"), "{error}");
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    assert_eq!(
        refusal(None, &[("EMBERGRID_NODE__WORKERS", "\"many\"")], Flags::default()),
        "the environment variable EMBERGRID_NODE__WORKERS: invalid type: string \"many\", expected usize"
    );
    assert_eq!(
        refusal(Some("[node]\npartitions = 0\n"), &[], Flags::default()),
        "node.partitions = 0 is out of range (it lies between 1 and 4096)"
    );
    assert_eq!(
        refusal(Some("[scoring]\nbackend = \"ndaray\"\n"), &[], Flags::default()),
        "scoring.backend: no backend `ndaray` (did you mean `ndarray`?)"
    );
    assert_eq!(
        refusal(Some("[node]\nlisten = \"7700\"\n"), &[], Flags::default()),
        "node.listen: `7700` is not an address (addresses are written host:port)"
    );
}

#[test]
fn without_a_secret_a_node_is_alone_on_loopback() {
    let hint = "(set EMBERGRID_CLUSTER_SECRET or EMBERGRID_CLUSTER_SECRET_FILE; without a secret a node is alone and \
                listens on loopback only)";
    let listen = |address: &str| Flags {
        listen: Some(address.into()),
        advertise: Some("10.0.0.1:7700".into()),
        ..Flags::default()
    };
    for address in ["0.0.0.0:7700", "10.0.0.1:7700", "[::]:7700", "example.org:7700"] {
        assert_eq!(
            refusal(None, &[], listen(address)),
            format!("node.listen = \"{address}\" needs a cluster secret {hint}")
        );
        assert!(load(None, &[SECRET], listen(address)).is_ok());
    }
    for address in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:7700", "localhost:7700"] {
        assert!(load(None, &[], listen(address)).is_ok(), "{address}");
    }
    let seeds = Flags { seeds: Some(vec!["127.0.0.1:7701".into()]), ..Flags::default() };
    assert_eq!(refusal(None, &[], seeds), format!("node.seeds needs a cluster secret {hint}"));
    let expect = Flags { expect: Some(1), ..Flags::default() };
    assert_eq!(refusal(None, &[], expect), format!("node.expect needs a cluster secret {hint}"));
}

#[test]
fn a_node_is_told_of_the_others_and_of_the_copies() {
    let environment = [SECRET, ("EMBERGRID_NODE__BACKUP_COUNT", "2"), ("EMBERGRID_NODE__MIN_IN_SYNC", "3")];
    // A node may be a seed of its own: all nodes can have the same settings.
    let seeds = vec!["127.0.0.1:7701".to_owned(), "127.0.0.1:7711".to_owned()];
    let flags = Flags { seeds: Some(seeds.clone()), expect: Some(3), ..Flags::default() };
    let node = load(None, &environment, flags).unwrap().node;
    assert_eq!((node.seeds, node.expect), (seeds, Some(3)));
    assert_eq!((node.backup_count, node.min_in_sync), (2, 3));
    let node = load(None, &[], Flags::default()).unwrap().node;
    assert_eq!((node.backup_count, node.min_in_sync, node.expect), (1, 1, None));
}

#[test]
fn counts_of_nodes_and_copies_have_bounds() {
    let expect = Flags { expect: Some(0), ..Flags::default() };
    assert_eq!(
        refusal(None, &[SECRET], expect),
        "node.expect = 0 is out of range (it lies between 1 and 256)"
    );
    let file = |backups, in_sync| format!("[node]\nbackup_count = {backups}\nmin_in_sync = {in_sync}\n");
    assert_eq!(
        refusal(Some(&file(7, 1)), &[], Flags::default()),
        "node.backup_count = 7 is out of range (it lies between 0 and 6)"
    );
    for (backups, in_sync) in [(0, 2), (2, 4), (2, 0)] {
        assert_eq!(
            refusal(Some(&file(backups, in_sync)), &[], Flags::default()),
            format!("node.min_in_sync = {in_sync} is out of range (it lies between 1 and {})", backups + 1)
        );
    }
}

#[test]
fn the_secret_is_long_and_comes_from_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "fedcba9876543210\n").unwrap();
    let from_file = ("EMBERGRID_CLUSTER_SECRET_FILE", path.to_str().unwrap());
    assert_eq!(load(None, &[from_file], Flags::default()).unwrap().node.secret, b"fedcba9876543210");
    assert_eq!(
        refusal(None, &[SECRET, from_file], Flags::default()),
        "both EMBERGRID_CLUSTER_SECRET and EMBERGRID_CLUSTER_SECRET_FILE are set (set one of them)"
    );
    assert_eq!(
        refusal(None, &[("EMBERGRID_CLUSTER_SECRET", "short")], Flags::default()),
        "the cluster secret has 5 bytes (it has 16 to 4096; `openssl rand -hex 32` makes a good one)"
    );
    assert!(
        refusal(None, &[("EMBERGRID_CLUSTER_SECRET_FILE", "/nowhere")], Flags::default())
            .starts_with("the file `/nowhere` of EMBERGRID_CLUSTER_SECRET_FILE cannot be read")
    );
}

#[test]
fn a_node_that_listens_everywhere_says_where_it_is_reached() {
    let flags = Flags { listen: Some("0.0.0.0:7700".into()), ..Flags::default() };
    assert_eq!(
        refusal(None, &[SECRET], flags),
        "node.advertise is missing: nobody can reach a node at 0.0.0.0:7700 (say where it is reached: `--advertise`)"
    );
}

#[test]
fn the_port_that_the_system_chose_is_advertised() {
    let flags = Flags { listen: Some("127.0.0.1:0".into()), ..Flags::default() };
    let mut settings = load(None, &[], flags.clone()).unwrap();
    settings.listening_at("127.0.0.1:4711".parse().unwrap());
    assert_eq!(settings.node.advertise, "127.0.0.1:4711");
    let named = Flags { advertise: Some("grid:7700".into()), ..flags };
    let mut settings = load(None, &[], named).unwrap();
    settings.listening_at("127.0.0.1:4711".parse().unwrap());
    assert_eq!(settings.node.advertise, "grid:7700");
}
