//! Rule 25 across a failover: the next primary knows what a job has scored.

use super::*;
use crate::partition::JobBatch;

/// The rows as a job finds them at that host now.
fn batch(cluster: &mut Cluster, node: u64, keys: &[&str]) -> JobBatch {
    let map = cluster.view.maps[&SCORED].clone();
    let rows: Vec<_> =
        keys.iter().map(|key| (cluster.read(node, SCORED, key).unwrap().unwrap(), 0.7)).collect();
    job_batch(7, &map, "risk", rows)
}

fn fail_first(cluster: &mut Cluster) -> u64 {
    cluster.lose_if(|letter| letter.from.0 == 1 || letter.to.0 == 1);
    cluster.host(1).crash();
    cluster.command(Command::Fail(NodeId(1)));
    (2..=cluster.hosts.len() as u64).for_each(|node| cluster.configure(node));
    cluster.live(600_000);
    cluster.control.latest().primary_node().unwrap().0
}

#[test]
fn a_batch_that_was_not_committed_is_answered_and_its_rows_are_found_as_they_are() {
    let mut cluster = Cluster::new(3, 3, 1);
    for (tag, key) in ["a", "b", "c"].into_iter().enumerate() {
        cluster.request(1, card(tag as u64, key, 1.0));
    }
    let scores = std::mem::take(&mut cluster.scores);
    for (node, task) in scores {
        let scores = [crate::binding::Score { column: 1, value: crate::binding::ScoreValue::F32(0.5) }];
        let result = Ok(scores.into_iter().collect());
        cluster.input(node.0, Input::Scored { ticket: task.ticket, result });
    }
    cluster.settle();
    cluster.replied();

    let first = batch(&mut cluster, 1, &["a"]);
    cluster.input(1, Input::Job(first));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 100 applied"]);
    let second = batch(&mut cluster, 1, &["a", "b"]);
    cluster.input(1, Input::Job(second));
    cluster.flush(1);
    // Both backups hold it; nobody hears that it is committed.
    cluster.deliver_if(|letter| letter.from.0 == 1);

    let heir = fail_first(&mut cluster);
    assert!(cluster.is_serving(heir));
    let found = |cluster: &mut Cluster, key: &str| {
        let record = cluster.read(heir, SCORED, key).unwrap().unwrap();
        shown(SCORED, &record)
    };
    assert_eq!(found(&mut cluster, "a"), "a=1/0.7/-@2 by 1:1 in job 7");
    assert_eq!(found(&mut cluster, "b"), "b=1/0.7/-@3 by 1:1 in job 7");
    assert_eq!(found(&mut cluster, "c"), "c=1/0.5/-@4 by 1:1");
    let rest = batch(&mut cluster, heir, &["a", "b", "c"]);
    cluster.input(heir, Input::Job(rest));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 100 not applied"]);
    assert_eq!(found(&mut cluster, "c"), "c=1/0.7/-@4 by 1:1 in job 7");
    let stale = batch(&mut cluster, heir, &["c"]);
    let other = 5 - heir;
    cluster.input(other, Input::Job(stale));
    assert!(cluster.replied()[0].starts_with("reply 100 not_primary: partition 0 is led elsewhere"));
}
