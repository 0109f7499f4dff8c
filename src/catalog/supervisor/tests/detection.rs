use super::bench::{Bench, cluster, fail, node, welcome};
use crate::{
    catalog::{Command, supervisor::Input},
    types::{Error, Incarnation, NodeId, Now},
};

#[test]
fn a_node_that_is_silent_for_the_timeout_fails() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(300, &[2, 3]);
    assert_eq!(bench.supervisor.next_deadline(), 10_400_000, "a tick");
    bench.pass(300, &[2]);
    assert_eq!(bench.commands(), []);
    assert_eq!(bench.supervisor.next_deadline(), 10_700_000);
    bench.beacon(2);
    bench.now_ms += 100;
    bench.input(Input::Tick);
    let (proposal, command) = bench.proposal();
    assert_eq!(command, fail(3));
    // Nothing is proposed twice while it is under way.
    bench.pass(200, &[2]);
    assert_eq!(bench.commands(), []);
    bench.apply(proposal, &command).unwrap();
    assert!(bench.commands().iter().all(|command| matches!(command, Command::Configure(_))));
}

/// It can follow no configuration, nor be granted anything.
#[test]
fn a_node_that_is_heard_and_does_not_hear_fails() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(300, &[2, 3]);
    for _ in 0..4 {
        bench.deaf_beacon(3);
        bench.pass(100, &[2]);
    }
    assert_eq!(bench.commands(), [fail(3)]);
}

#[test]
fn who_does_not_hear_is_heard_all_the_same() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(1_000, &[2]);
    let hears = |bench: &Bench, node| {
        bench.supervisor.hears(Now { mono_us: bench.now_ms * 1_000, ..Now::default() }, NodeId(node))
    };
    assert!(hears(&bench, 2) && !hears(&bench, 3));
    bench.deaf_beacon(3);
    assert!(hears(&bench, 3), "or two nodes would each wait for the other to say that it hears");
    bench.pass(400, &[2]);
    assert!(!hears(&bench, 3));
}

#[test]
fn only_a_leader_acts() {
    let mut bench = Bench::new(cluster(3, 6, 1, 1));
    bench.pass(1000, &[2]);
    assert_eq!(bench.effects(), []);
    bench.lead();
    // It has the ages, so it acts on what it knows: node 2 was heard. Node 3 it has never heard, so that one has a
    // timeout from now.
    assert_eq!(bench.commands(), [Command::Lead]);
    bench.pass(300, &[2]);
    assert_eq!(bench.commands(), []);
    bench.pass(100, &[2]);
    assert_eq!(bench.commands(), [fail(3)]);
    bench.input(Input::NotLeading);
    bench.pass(1000, &[]);
    assert_eq!(bench.commands(), []);
}

#[test]
fn a_new_leader_need_not_relearn_ages() {
    let mut bench = Bench::new(cluster(3, 6, 1, 1));
    bench.pass(200, &[2, 3]);
    bench.pass(500, &[2]);
    bench.lead();
    assert_eq!(bench.commands(), [Command::Lead, fail(3)]);
}

#[test]
fn a_supervisor_that_slept_does_not_take_its_own_silence_for_that_of_others() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(200, &[2, 3]);
    bench.now_ms += 5000;
    bench.input(Input::Tick);
    bench.pass(300, &[2]);
    assert_eq!(bench.commands(), []);
    bench.pass(100, &[2]);
    assert_eq!(bench.commands(), [fail(3)]);
}

#[test]
fn a_node_returns_when_it_is_steady() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(200, &[2, 3]);
    bench.catalogue.apply(&fail(3)).unwrap();
    bench.publish();
    bench.pass(400, &[2]);
    bench.effects();
    // Heard now and then: flapping.
    for _ in 0..3 {
        bench.pass(300, &[2, 3]);
        bench.pass(400, &[2]);
    }
    let is_return = |command: &Command| matches!(command, Command::ReturnNode { .. });
    assert!(!bench.commands().iter().any(is_return));
    bench.pass(400, &[2, 3]);
    assert!(!bench.commands().iter().any(is_return));
    bench.pass(100, &[2, 3]);
    assert!(bench.commands().contains(&welcome(3)));
}

#[test]
fn a_leader_that_was_taken_to_be_down_returns() {
    let mut bench = Bench::new(cluster(2, 2, 1, 1));
    bench.elsewhere(&fail(1));
    bench.lead();
    assert_eq!(bench.commands(), [Command::Lead, welcome(1)]);
}

#[test]
fn a_restart_is_a_sign_of_life_and_old_beacons_are_not() {
    let mut bench = Bench::leading(cluster(3, 6, 1, 1));
    bench.pass(200, &[2, 3]);
    bench.pass(300, &[2]);
    bench.elsewhere(&Command::StartNode { node: node(3), after: None });
    bench.effects();
    let failed = Command::FailNode { node: NodeId(3), incarnation: Incarnation(2) };
    for _ in 0..3 {
        bench.now_ms += 100;
        bench.beacon(2);
        bench.beacon_of(3, 1);
    }
    assert!(!bench.commands().contains(&failed));
    bench.now_ms += 100;
    bench.beacon(2);
    bench.beacon_of(3, 1);
    assert!(bench.commands().contains(&failed));
    // A beacon that is ahead of the catalogue counts.
    bench.beacon_of(2, 2);
    bench.pass(300, &[]);
    assert!(!bench.commands().contains(&fail(2)));
}

#[test]
fn two_silent_nodes_fail_one_after_the_other() {
    let mut bench = Bench::leading(cluster(3, 3, 0, 1));
    bench.pass(400, &[]);
    let (proposal, command) = bench.proposal();
    assert_eq!(command, fail(2));
    bench.apply(proposal, &command).unwrap();
    assert_eq!(bench.commands(), [fail(3)]);
}

#[test]
fn what_is_not_answered_is_proposed_again() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    bench.pass(400, &[]);
    let (first, command) = bench.proposal();
    bench.pass(900, &[]);
    assert_eq!(bench.commands(), []);
    bench.pass(100, &[]);
    let (second, again) = bench.proposal();
    assert_eq!((&command, second > first), (&again, true));
    // Late news of the first are no news of the second.
    bench.outcome(first, Err(Error::unavailable("nobody leads")));
    bench.pass(100, &[]);
    assert_eq!(bench.commands(), []);
    // What fails is tried again a moment later.
    bench.outcome(second, Err(Error::unavailable("nobody leads")));
    assert_eq!(bench.commands(), []);
    bench.pass(100, &[]);
    let (third, _) = bench.proposal();
    bench.apply(third, &command).unwrap();
    bench.pass(1000, &[]);
    assert_eq!(bench.commands(), []);
}

#[test]
fn the_unfounded_and_strangers_are_left_alone() {
    let mut bench = Bench::new(Default::default());
    bench.lead();
    bench.pass(1000, &[2]);
    assert_eq!(bench.effects(), []);
    let mut bench = Bench::leading(cluster(1, 2, 0, 1));
    bench.pass(500, &[9]);
    bench.pass(500, &[]);
    assert_eq!(bench.effects(), []);
}

#[test]
fn an_older_catalogue_is_no_news() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    let old = bench.shared();
    bench.elsewhere(&fail(2));
    bench.input(Input::Catalogue(old));
    bench.pass(1000, &[]);
    assert_eq!(bench.effects(), []);
}
