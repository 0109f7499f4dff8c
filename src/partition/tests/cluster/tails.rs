//! Frames that are lost, late, doubled or of another epoch; and tails that do not fit the next primary's.

use super::*;

/// 1 prepares an entry that only 2 gets; then 3 is the primary, and 1 and 2 have a tail that 3 has not.
fn forked() -> Cluster {
    let mut cluster = Cluster::new(3, 3, 1);
    cluster.request(1, numbered(1, put(1, "a", "x")));
    cluster.lose_if(to(3));
    cluster.deliver_if(to(2));
    cluster.lose_if(|_| true);
    cluster.command(Command::Promote(NodeId(3)));
    cluster.configure_all();
    cluster.replied();
    cluster
}

#[test]
fn a_tail_gives_way_to_the_next_primarys_and_its_answers_are_forgotten() {
    let mut cluster = forked();
    cluster.live(600_000);
    assert_eq!(cluster.host(1).core.as_ref().unwrap().end().seq.0, 2);
    cluster.request(3, put(2, "b", "y"));
    cluster.request(3, numbered(1, put(3, "a", "x")));
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 2 applied v2", "reply 3 applied v3"]);
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn a_tail_that_nobody_replaced_is_taken_up_again() {
    let mut cluster = forked();
    cluster.live(600_000);
    cluster.command(Command::Promote(NodeId(2)));
    cluster.configure_all();
    cluster.live(600_000);
    cluster.request(2, numbered(1, put(2, "a", "x")));
    assert_eq!(cluster.replied(), ["reply 2 applied v2"], "it was prepared in epoch 1");
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn what_is_not_confirmed_is_not_acknowledged_nor_applied() {
    let mut cluster = forked();
    // 3 says how far it is; both have an entry more, and say nothing of it.
    cluster.settle();
    assert_eq!(cluster.host(3).core.as_ref().unwrap().place(), crate::partition::Place::Primary);
    cluster.live(600_000);
    for node in 1..=2 {
        let core = cluster.host(node).core.as_ref().unwrap();
        assert_eq!((core.position().seq.0, core.end().seq.0), (1, 2));
    }
}

#[test]
fn a_late_double_takes_nothing_back() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    let early: Vec<_> = cluster.bag.clone();
    cluster.settle();
    cluster.request(1, put(2, "b", "x"));
    cluster.request(1, put(3, "c", "x"));
    cluster.deliver_if(to(2));
    cluster.bag.extend(early);
    cluster.deliver_if(to(2));
    assert_eq!(cluster.host(2).core.as_ref().unwrap().end().seq.0, 4);
    cluster.settle();
    assert_eq!(cluster.replied().len(), 3);
}

#[test]
fn a_gap_is_said_and_filled() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.lose_if(to(2));
    cluster.request(1, put(2, "b", "x"));
    assert_eq!(cluster.frames(), ["1>2 prepare 1.2 [1.3] committed 1"]);
    cluster.deliver_if(to(2));
    assert_eq!(cluster.frames(), ["2>1 behind 1"]);
    cluster.deliver_if(to(1));
    assert_eq!(cluster.frames(), ["1>2 prepare 1.1 [1.2 1.3] committed 1"]);
    cluster.deliver_if(to(2));
    cluster.deliver_if(to(1));
    assert_eq!(cluster.replied(), ["reply 1 applied v2", "reply 2 applied v3"]);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_at_growing_pauses() {
    let mut cluster = Cluster::new(2, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    let mut sent = Vec::new();
    for ms in 1..=350 {
        cluster.pass(1_000);
        let prepares = cluster.lose_if(|letter| matches!(letter.frame.body, Body::Prepare { .. }));
        cluster.lose_if(|_| true);
        if prepares > 0 {
            sent.push(ms);
        }
    }
    assert_eq!(sent, [1, 50, 150, 300]);
}

#[test]
fn frames_that_overtake_the_configuration_are_dropped_and_come_again() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure(1);
    cluster.request(1, put(1, "a", "x"));
    cluster.deliver_if(to(2));
    assert!(cluster.bag.iter().all(|letter| letter.from.0 == 1), "{:?}", cluster.frames());
    let fenced = cluster.host(2).core.as_ref().unwrap().fenced();
    assert!(fenced > 0);
    cluster.configure(2);
    cluster.flush(2);
    assert_eq!(cluster.frames().last().unwrap(), "2>1 behind 1", "it says at once how far it is");
    cluster.deliver_if(between(1, 2));
    cluster.deliver_if(between(1, 2));
    cluster.deliver_if(between(1, 2));
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn acknowledgements_of_an_epoch_before_count_for_nothing() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.deliver_if(to(2));
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure(1);
    cluster.deliver_if(to(1));
    assert_eq!(cluster.replied().len(), 0);
    cluster.configure(2);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}
