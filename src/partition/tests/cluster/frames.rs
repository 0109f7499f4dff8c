//! Whatever replicas say survives being written down and read.

use std::collections::BTreeSet;

use super::*;
use crate::{
    binding::{Score, ScoreValue},
    partition::{Op, PutMode, Ttl},
    types::{RowVersion, SessionId},
};

/// What frames say: bodies, parts, verdicts, changes, answers.
const NAMES: [&str; 24] = [
    "Prepare",
    "Prepared",
    "Behind",
    "Beacon",
    "Lease",
    "Fill",
    "Filled",
    "Compare",
    "Checksum",
    "Begin",
    "Rows",
    "Ended",
    "Sessions",
    "Log",
    "Check",
    "Taken",
    "Put",
    "Scored",
    "Ttl",
    "Remove",
    "Expire",
    "Catalogue",
    "EndSession",
    "Err",
];

/// Everything in the bag, written and read; notes what was seen.
fn survive(cluster: &Cluster, seen: &mut BTreeSet<&'static str>) {
    for Letter { frame, .. } in &cluster.bag {
        let text = serde_json::to_string(frame).unwrap();
        assert_eq!(&serde_json::from_str::<Frame>(&text).unwrap(), frame, "{text}");
        seen.extend(NAMES.iter().filter(|name| text.contains(&format!("\"{name}\""))));
    }
}

fn pass(cluster: &mut Cluster, us: u64, seen: &mut BTreeSet<&'static str>) {
    let until_us = cluster.now_us + us;
    while cluster.now_us < until_us {
        cluster.pass(10_000);
        for _ in 0..4 {
            survive(cluster, seen);
            cluster.deliver_if(|_| true);
        }
    }
}

#[test]
fn every_frame_survives() {
    let mut seen = BTreeSet::new();
    let view = View::compile(&Bench::bound("mode = \"async\"").catalogue).unwrap();
    let mut cluster = Cluster::silent(3, 2, 1, Arc::new(view));
    pass(&mut cluster, 10_000, &mut seen);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.request(1, numbered(2, put_if(2, "a", "y", PutMode::IfVersion(RowVersion(9)))));
    cluster.request(1, numbered(3, remove(3, "a", None)));
    cluster.request(1, put_ttl(4, "b", "x", 100));
    cluster.request(1, op(5, PLAIN, "b", Op::SetTtl { ttl: Some(Ttl { ms: 50 }) }));
    cluster.request(1, numbered(4, card(6, "c", 2.0)));
    cluster.request(1, put(7, "d", "x"));
    for (node, task) in std::mem::take(&mut cluster.scores) {
        let scores = [Score { column: 1, value: ScoreValue::F32(0.5) }].into_iter().collect();
        cluster.input(node.0, Input::Scored { ticket: task.ticket, result: Ok(scores) });
    }
    cluster.input(1, Input::EndSession(SessionId(5)));
    pass(&mut cluster, 100_000, &mut seen);
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    pass(&mut cluster, 1_200_000, &mut seen);
    let unseen: Vec<_> = NAMES.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
