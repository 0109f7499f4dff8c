//! Rule 4: a removed replica that nothing can have committed without comes back without a copy, or takes over.

use super::*;
use crate::partition::Place;

const NOTHING: [&str; 0] = [];

/// Two replicas of which two must be in sync; the backup is removed, and both know it.
fn removed() -> Cluster {
    let mut cluster = Cluster::new(2, 2, 2);
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    cluster.replied();
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure_all();
    cluster.bag.clear();
    cluster
}

/// Time passes, and the host says nothing.
fn without(cluster: &mut Cluster, node: u64, us: u64) {
    let until_us = cluster.now_us + us;
    while cluster.now_us < until_us {
        cluster.pass(10_000);
        cluster.lose_if(|letter| letter.from.0 == node);
        cluster.deliver_if(|_| true);
    }
}

fn is_fill(letter: &Letter) -> bool {
    matches!(letter.frame.body, Body::Fill { .. })
}

#[test]
fn it_gets_entries_and_counts_for_nothing() {
    let mut cluster = removed();
    assert_eq!(cluster.host(2).core.as_ref().unwrap().place(), Place::Backup);
    cluster.grant(1);
    cluster.request(1, put(2, "a", "y"));
    cluster.lose_if(is_beacon);
    assert_eq!(cluster.frames(), ["1>2 prepare 1.2 [2.3] committed 2"]);
    cluster.settle();
    assert_eq!(cluster.host(2).core.as_ref().unwrap().end().seq.0, 3);
    assert_eq!(cluster.replied(), NOTHING, "there are too few in sync");
}

#[test]
fn it_is_admitted_again_without_a_copy() {
    let mut cluster = removed();
    cluster.grant(1);
    cluster.request(1, put(2, "a", "y"));
    cluster.live(150_000);
    let join = join_of(&cluster, 2);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join });
    assert!(cluster.decide());
    assert_eq!(cluster.replied(), NOTHING);
    cluster.configure_all();
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 2 applied v3 old a=x@2"]);
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn a_silent_one_is_neither_proposed_nor_reported() {
    let mut cluster = removed();
    cluster.request(1, put(2, "a", "y"));
    without(&mut cluster, 2, 20_000_000);
    assert_eq!(cluster.proposed, []);
    cluster.live(600_000);
    let join = join_of(&cluster, 2);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join }, "it is heard");
}

#[test]
fn what_it_said_before_it_was_removed_says_nothing() {
    let mut cluster = Cluster::new(2, 2, 2);
    cluster.live(100_000);
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure(1);
    // Its last lease has not run out.
    without(&mut cluster, 2, 100_000);
    assert_eq!(cluster.proposed, []);
}

#[test]
fn one_that_falls_silent_while_it_joins_is_heard_again_first() {
    let mut cluster = removed();
    cluster.live(150_000);
    let join = join_of(&cluster, 2);
    assert!(cluster.decide());
    // Nobody tells it so, and it is found silent in the next epoch: removed again.
    cluster.configure(1);
    without(&mut cluster, 2, 500_000);
    let changes =
        |cluster: &Cluster| cluster.proposed.iter().map(|proposed| proposed.change).collect::<Vec<_>>();
    assert_eq!(changes(&cluster), [Proposal::Remove { join }]);
    assert!(cluster.decide());
    cluster.configure(1);
    without(&mut cluster, 2, 5_000_000);
    assert_eq!(changes(&cluster), [], "it is not proposed for ever in turns");
    cluster.configure(2);
    cluster.live(150_000);
    assert_eq!(changes(&cluster)[0], Proposal::Admit { join });
}

#[test]
fn the_one_before_comes_back_to_the_one_that_was_promoted() {
    let mut cluster = removed();
    // An entry that only the old primary has, and nobody was told of.
    cluster.request(1, numbered(1, put(2, "a", "y")));
    cluster.bag.clear();
    cluster.now_us += 1_000_000;
    cluster.command(Command::PromoteEligible);
    cluster.configure_all();
    assert_eq!(cluster.control.latest().eligible.len(), 1);
    cluster.grant(2);
    let mut fills = 0;
    for _ in 0..60 {
        cluster.grant(2);
        cluster.pass(10_000);
        fills += cluster.bag.iter().filter(|letter| is_fill(letter)).count();
        cluster.settle();
    }
    assert!(!cluster.is_serving(2), "it cannot commit what it brought along");
    let join = join_of(&cluster, 1);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join });
    assert!(cluster.decide());
    cluster.configure_all();
    cluster.live(200_000);
    assert_eq!(fills, 0);
    cluster.request(2, put(3, "b", "z"));
    cluster.live(200_000);
    assert_eq!(cluster.replied().last().unwrap(), "reply 3 applied v3");
    cluster.assert_equal();
    assert_eq!(cluster.host(1).core.as_ref().unwrap().end().seq.0, 3, "its own tail is gone");
}

#[test]
fn when_others_are_enough_it_is_outside() {
    let mut cluster = Cluster::new(3, 2, 2);
    cluster.command(Command::Fail(NodeId(2)));
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure(1);
    cluster.configure(3);
    let learner = join_of(&cluster, 3);
    without(&mut cluster, 2, 300_000);
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join: learner });
    assert!(cluster.decide());
    assert_eq!(cluster.control.latest().eligible, []);
    cluster.configure_all();
    assert_eq!(cluster.host(2).core.as_ref().unwrap().place(), Place::Outside);
    cluster.request(1, put(1, "a", "x"));
    cluster.live(100_000);
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}
