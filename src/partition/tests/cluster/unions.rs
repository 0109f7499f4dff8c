//! Rule 2: from its proposal until the outcome is known, a learner counts as if it were in.

use super::*;
use crate::{partition::Place, store::NotServing};

const NOTHING: [&str; 0] = [];

/// A sole primary that has proposed to admit its learner.
fn proposed() -> Cluster {
    let mut cluster = Cluster::new(2, 1, 1);
    cluster.grant(1);
    cluster.command(Command::AddLearner(NodeId(2)));
    cluster.configure_all();
    cluster.live(200_000);
    let join = join_of(&cluster, 2);
    let changes: Vec<_> = cluster.proposed.iter().map(|proposed| (proposed.change, proposed.epoch)).collect();
    assert_eq!(changes, [(Proposal::Admit { join }, Epoch(2))]);
    cluster.grant(1);
    cluster
}

#[test]
fn commits_need_it() {
    let mut cluster = proposed();
    cluster.request(1, put(1, "a", "x"));
    assert_eq!(cluster.replied(), NOTHING);
    cluster.settle();
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
}

#[test]
fn leases_need_it_and_the_control_leader_too() {
    let mut cluster = proposed();
    assert_eq!(cluster.read(1, PLAIN, "a"), Ok(None));
    cluster.now_us += 490_000;
    cluster.grant(1);
    cluster.now_us += 400_000;
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease), "the learner might be the primary");
    let mut cluster = proposed();
    for _ in 0..6 {
        cluster.live(100_000);
    }
    assert_eq!(cluster.read(1, PLAIN, "a"), Err(NotServing::NoLease), "and it might be alone");
}

#[test]
fn an_admitted_learner_can_take_over() {
    let mut cluster = proposed();
    cluster.request(1, put(1, "a", "x"));
    cluster.settle();
    assert!(cluster.decide());
    // The old primary does not hear of it.
    cluster.host(1).crash();
    cluster.command(Command::Fail(NodeId(1)));
    cluster.configure(2);
    cluster.live(600_000);
    cluster.grant(2);
    assert_eq!(cluster.read(2, PLAIN, "a").unwrap().unwrap().value(), b"x");
}

#[test]
fn an_admitted_learner_that_was_not_told_follows_the_next_primary() {
    let mut cluster = Cluster::new(3, 2, 1);
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    cluster.live(200_000);
    assert!(cluster.decide());
    cluster.configure(1);
    cluster.request(1, put(1, "a", "x"));
    cluster.command(Command::Promote(NodeId(2)));
    cluster.bag.clear();
    cluster.configure_all();
    assert_eq!(cluster.host(3).core.as_ref().unwrap().place(), Place::Backup);
    cluster.live(700_000);
    cluster.request(2, put(2, "b", "x"));
    cluster.settle();
    assert_eq!(cluster.replied().last().unwrap(), "reply 2 applied v2");
    cluster.live(200_000);
    cluster.assert_equal();
}

#[test]
fn what_is_not_filled_does_not_count_whatever_the_configuration_says() {
    for us in [0, 10_000] {
        let mut cluster = Cluster::new(2, 1, 1);
        cluster.grant(1);
        cluster.request(1, put(1, "a", "x"));
        cluster.command(Command::AddLearner(NodeId(2)));
        cluster.configure_all();
        cluster.pass(us);
        // It has begun, or not even that.
        cluster.deliver_if(|_| true);
        let (join, epoch) = (join_of(&cluster, 2), cluster.control.latest().epoch);
        assert!(cluster.control.propose(Generation(1), epoch, Proposal::Admit { join }));
        cluster.bag.clear();
        cluster.configure_all();
        assert_eq!(cluster.host(2).core.as_ref().unwrap().place(), Place::Outside);
        cluster.replied();
        cluster.grant(1);
        cluster.live(100_000);
        cluster.request(1, put(2, "a", "y"));
        cluster.live(500_000);
        assert_eq!(cluster.replied(), NOTHING);
        assert_eq!(cluster.proposed[0].change, Proposal::Remove { join });
        assert!(cluster.decide());
        cluster.configure(1);
        assert_eq!(cluster.replied(), ["reply 2 applied v3 old a=x@2"]);
    }
}

#[test]
fn a_learner_that_does_not_answer_holds_up_nobody() {
    let mut cluster = Cluster::new(2, 1, 1);
    cluster.grant(1);
    cluster.command(Command::AddLearner(NodeId(2)));
    cluster.configure_all();
    cluster.live(90_000);
    cluster.proposed.clear();
    for round in 0..50 {
        cluster.pass(100_000);
        cluster.lose_if(|letter| letter.from.0 == 2);
        cluster.deliver_if(to(2));
        cluster.grant(1);
        if round >= 10 {
            cluster.replied();
            cluster.request(1, put(round, "a", "x"));
            assert_eq!(cluster.replied().len(), 1, "round {round}");
        }
    }
}

#[test]
fn a_refusal_ends_it_when_every_copy_is_refused() {
    let mut cluster = proposed();
    let join = join_of(&cluster, 2);
    for _ in 0..4 {
        cluster.live(100_000);
        cluster.grant(1);
    }
    assert_eq!(cluster.proposed.len(), 2, "the first one may be lost");
    let refused = || Input::Refused { epoch: Epoch(2), join };
    cluster.input(1, Input::Refused { epoch: Epoch(1), join });
    cluster.input(1, refused());
    cluster.request(1, put(1, "a", "x"));
    assert_eq!(cluster.replied(), NOTHING, "the other one may yet be applied");
    cluster.input(1, refused());
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    // Later it tries again.
    cluster.proposed.clear();
    for _ in 0..20 {
        cluster.live(100_000);
        cluster.grant(1);
    }
    assert_eq!(cluster.proposed[0].change, Proposal::Admit { join });
}

#[test]
fn a_later_epoch_ends_it() {
    let mut cluster = proposed();
    cluster.command(Command::Fail(NodeId(2)));
    cluster.configure(1);
    cluster.lose_if(|_| true);
    cluster.request(1, put(1, "a", "x"));
    assert_eq!(cluster.replied(), ["reply 1 applied v2"]);
    assert!(!cluster.decide());
}

#[test]
fn one_that_hangs_while_proposed_is_proposed_for_removal() {
    let mut cluster = proposed();
    let join = join_of(&cluster, 2);
    cluster.proposed.clear();
    cluster.request(1, put(1, "a", "x"));
    for _ in 0..50 {
        cluster.pass(10_000);
        cluster.bag.clear();
    }
    assert!(cluster.proposed.iter().any(|proposed| proposed.change == Proposal::Remove { join }));
}
