use super::bench::{Bench, cluster, fail, node};
use crate::{
    catalog::{Command, supervisor::Effect},
    types::Tenure,
};

#[test]
fn a_sole_holder_is_granted_a_lease_after_a_confirmation_that_began_after_its_beacon() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    bench.beacon(2);
    let first = bench.now_ms;
    let round = bench.round();
    // This one came after the quorum was asked: it waits for the next round.
    bench.now_ms += 10;
    bench.beacon(2);
    assert_eq!(bench.effects(), [], "one round is under way");
    bench.confirm(round, true);
    let next = Effect::Confirm { round: round + 1 };
    assert_eq!(bench.effects(), [bench.grant(2, first), next]);
    bench.confirm(round, true);
    assert_eq!(bench.effects(), [], "that round is over");
    bench.confirm(round + 1, true);
    assert_eq!(bench.effects(), [bench.grant(2, first + 10)]);
    bench.pass(100, &[]);
    assert_eq!(bench.effects(), [], "no beacon, no grant");
}

#[test]
fn a_round_that_fails_grants_nothing_and_is_repeated() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    bench.beacon(2);
    let received = bench.now_ms;
    let round = bench.round();
    bench.confirm(round, false);
    assert_eq!(bench.effects(), []);
    bench.pass(100, &[]);
    let round = bench.round();
    bench.confirm(round, true);
    assert_eq!(bench.effects(), [bench.grant(2, received)]);
}

#[test]
fn who_holds_nothing_alone_is_granted_nothing() {
    let mut bench = Bench::leading(cluster(2, 2, 1, 1));
    bench.pass(300, &[1, 2]);
    assert_eq!(bench.effects(), []);
    // Alone all at once, its last beacon is answered.
    let received = bench.now_ms;
    bench.elsewhere(&fail(2));
    let round = bench.round();
    bench.confirm(round, true);
    assert_eq!(bench.effects(), [bench.grant(1, received)]);
}

#[test]
fn who_does_not_hold_it_any_more_when_the_quorum_answers_is_granted_nothing() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    bench.beacon(2);
    let round = bench.round();
    bench.catalogue.apply(&Command::StartNode { node: node(2), after: None }).unwrap();
    bench.confirm(round, true);
    assert_eq!(bench.effects(), []);
}

#[test]
fn nothing_is_granted_without_the_present_tenure() {
    let mut bench = Bench::new(cluster(2, 2, 0, 1));
    bench.lead();
    let (lead, _) = bench.proposal();
    bench.beacon(2);
    assert_eq!(bench.effects(), []);
    bench.apply(lead, &Command::Lead).unwrap();
    let round = bench.round();
    // Another took the supervision up, and this one has not noticed: the confirmation brings it to light.
    bench.catalogue.apply(&Command::Lead).unwrap();
    bench.confirm(round, true);
    let (lead, command) = bench.proposal();
    assert_eq!(command, Command::Lead);
    bench.apply(lead, &command).unwrap();
    assert_eq!(bench.placement().1, Tenure(3));
    let round = bench.round();
    bench.confirm(round, true);
    assert_eq!(bench.effects(), [bench.grant(2, 10_000)]);
}

#[test]
fn a_lease_that_would_be_over_is_not_asked_for() {
    let mut bench = Bench::new(cluster(2, 2, 0, 1));
    bench.beacon(2);
    bench.pass(500, &[]);
    bench.lead();
    let proposals = bench.proposals();
    assert_eq!(proposals[0].1, Command::Lead);
    bench.apply(proposals[0].0, &Command::Lead).unwrap();
    assert_eq!(bench.effects(), []);
}
