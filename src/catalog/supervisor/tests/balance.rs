//! Nodes that join, leave and come back: what is moved, and how much of it at one time.

use std::collections::BTreeMap;

use super::bench::{Bench, cluster, fail, node, welcome};
use crate::{
    catalog::{Catalogue, Command, Configuration, ConfigurationChange, Step, invariants::check_step},
    types::{Incarnation, NodeId, PartitionId},
};

fn drain(id: u64) -> Command {
    Command::DrainNode { node: NodeId(id), incarnation: Incarnation(1) }
}

fn steps(command: &Command) -> Vec<(u16, Step)> {
    let Command::Configure(changes) = command else { panic!("{command:?}") };
    changes.iter().map(|change| (change.partition.0, change.step.clone())).collect()
}

/// What the primaries propose of a configuration, if everything is well.
fn answer(held: &Configuration) -> Option<Step> {
    let admit = held.learners.first().map(|learner| Step::Admit { join: learner.join });
    held.successor.map(|join| Step::HandOver { join }).or(admit)
}

/// The primaries do as they are asked.
fn answer_all(bench: &mut Bench) -> usize {
    let partitions = (0..).map(PartitionId).zip(bench.catalogue.configurations());
    let changes = partitions.filter_map(|(partition, held)| {
        let step = answer(held)?;
        Some(ConfigurationChange { partition, generation: held.generation, epoch: held.epoch, step })
    });
    let changes: Vec<ConfigurationChange> = changes.collect();
    let count = changes.len();
    if count > 0 {
        apply(&mut bench.catalogue, &Command::Configure(changes));
        bench.publish();
    }
    count
}

fn apply(catalogue: &mut Catalogue, command: &Command) {
    let before = catalogue.clone();
    catalogue.apply(command).unwrap();
    check_step(&before, catalogue);
}

/// Until nothing is proposed any more; all steps, and by kind how many.
fn settle(bench: &mut Bench, heard: &[u64]) -> Vec<(u16, Step)> {
    let mut all = Vec::new();
    for _ in 0..2_000 {
        if go_on(bench, heard, &mut all) == 0 && all_even(&bench.catalogue) {
            return all;
        }
    }
    panic!("it does not come to rest: {:?}", bench.catalogue.moves());
}

/// What is proposed is applied, and answered; how much that was.
fn go_on(bench: &mut Bench, heard: &[u64], all: &mut Vec<(u16, Step)>) -> usize {
    let proposals = bench.proposals();
    for (proposal, command) in &proposals {
        all.extend(steps(command));
        bench.apply(*proposal, command).unwrap();
        check_bounds(&bench.catalogue);
    }
    bench.pass(100, heard);
    answer_all(bench) + proposals.len()
}

fn all_even(catalogue: &Catalogue) -> bool {
    catalogue.moves().is_empty() && catalogue.configurations().iter().all(|held| answer(held).is_none())
}

fn check_bounds(catalogue: &Catalogue) {
    let wanted = catalogue.replicas_wanted();
    let moving = catalogue.configurations().iter().filter(|held| held.is_moving(wanted)).count();
    assert!(moving <= 16, "{moving} are moving");
    let mut at: BTreeMap<NodeId, usize> = BTreeMap::new();
    for learner in catalogue.configurations().iter().flat_map(|held| &held.learners) {
        *at.entry(learner.node).or_default() += 1;
    }
    assert!(at.values().all(|count| *count <= 8), "{at:?}");
}

fn counts(catalogue: &Catalogue, of: impl Fn(&Configuration, NodeId) -> bool) -> Vec<usize> {
    let nodes = catalogue.staying().into_iter();
    nodes.map(|node| catalogue.configurations().iter().filter(|held| of(held, node)).count()).collect()
}

fn assert_even(catalogue: &Catalogue) {
    let is_at = |held: &Configuration, node| held.in_sync.iter().any(|replica| replica.node == node);
    for counts in
        [counts(catalogue, is_at), counts(catalogue, |held, node| held.primary_node() == Some(node))]
    {
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }
    let wanted = catalogue.replicas_wanted();
    assert!(catalogue.configurations().iter().all(|held| held.in_sync.len() == wanted));
}

/// What is under way may have to be handed over before one replica too many can go.
#[test]
fn a_node_that_joins_while_another_gets_its_share_gets_its_own() {
    for steps in [4, 8] {
        let mut bench = Bench::leading(cluster(3, 271, 2, 2));
        bench.elsewhere(&Command::StartNode { node: node(4), after: None });
        for _ in 0..steps {
            go_on(&mut bench, &[2, 3, 4], &mut Vec::new());
        }
        bench.elsewhere(&Command::StartNode { node: node(5), after: None });
        settle(&mut bench, &[2, 3, 4, 5]);
        assert_even(&bench.catalogue);
    }
}

#[test]
fn a_node_that_joins_gets_its_share() {
    let mut bench = Bench::leading(cluster(3, 40, 1, 1));
    bench.elsewhere(&Command::StartNode { node: node(4), after: None });
    let (proposal, command) = bench.proposal();
    let first = steps(&command);
    assert_eq!(first.len(), 8, "a node is filled with so many at one time");
    assert!(first.iter().all(|(_, step)| *step == Step::AddLearner { node: NodeId(4) }));
    bench.apply(proposal, &command).unwrap();
    assert_eq!(bench.commands(), []);
    answer_all(&mut bench);
    let (proposal, command) = bench.proposal();
    let next = steps(&command);
    assert!(
        next.iter().any(|(_, step)| matches!(step, Step::Retire { .. } | Step::Appoint { .. })),
        "{next:?}"
    );
    bench.apply(proposal, &command).unwrap();
    settle(&mut bench, &[2, 3, 4]);
    assert_even(&bench.catalogue);
    assert_eq!(bench.catalogue.staying().len(), 4);
}

#[test]
fn primaries_go_back_to_nodes_that_were_down() {
    let mut bench = Bench::leading(cluster(3, 30, 2, 1));
    for id in [2, 3] {
        bench.elsewhere(&fail(id));
    }
    settle(&mut bench, &[]);
    for id in [2, 3] {
        bench.beacon(id);
        bench.elsewhere(&welcome(id));
    }
    assert_eq!(counts(&bench.catalogue, |held, node| held.primary_node() == Some(node)), [30, 0, 0]);
    let steps = settle(&mut bench, &[2, 3]);
    assert_even(&bench.catalogue);
    let appointed = steps.iter().filter(|(_, step)| matches!(step, Step::Appoint { .. })).count();
    assert_eq!(appointed, 20, "nobody hands over twice");
    assert!(
        !steps.iter().any(|(_, step)| matches!(step, Step::Retire { .. })),
        "nothing is copied to be removed"
    );
}

#[test]
fn what_is_missing_is_filled_before_anything_is_copied_to_move() {
    let mut bench = Bench::leading(cluster(3, 30, 1, 1));
    bench.elsewhere(&fail(3));
    bench.elsewhere(&Command::StartNode { node: node(4), after: None });
    for _ in 0..5 {
        for (proposal, command) in bench.proposals() {
            let mut held = bench.catalogue.configurations().iter();
            let is_missing = held.any(|held| held.in_sync.len() + held.learners.len() < 2);
            for (partition, step) in steps(&command) {
                let held = bench.catalogue.configuration(PartitionId(partition)).unwrap();
                let is_copied = matches!(step, Step::AddLearner { .. }) && held.in_sync.len() == 2;
                assert!(!(is_copied && is_missing), "{step:?}");
            }
            bench.apply(proposal, &command).unwrap();
        }
        bench.pass(100, &[2, 4]);
    }
    settle(&mut bench, &[2, 4]);
    assert_even(&bench.catalogue);
}

#[test]
fn a_draining_node_loses_its_primaries_and_then_its_backups() {
    let mut bench = Bench::leading(cluster(3, 12, 1, 1));
    bench.elsewhere(&drain(3));
    let (proposal, command) = bench.proposal();
    let first = steps(&command);
    assert_eq!(first.iter().filter(|(_, step)| matches!(step, Step::Appoint { .. })).count(), 4, "{first:?}");
    bench.apply(proposal, &command).unwrap();
    settle(&mut bench, &[2, 3]);
    assert_even(&bench.catalogue);
    assert!(bench.catalogue.is_safe_to_stop(NodeId(3)));
    assert!(bench.catalogue.configurations().iter().all(|held| held.replica_at(NodeId(3)).is_none()));
}

#[test]
fn without_room_the_backups_of_a_draining_node_stay() {
    let mut bench = Bench::leading(cluster(3, 12, 2, 2));
    bench.elsewhere(&drain(3));
    let steps = settle(&mut bench, &[2, 3]);
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(bench.catalogue.configurations().iter().all(|held| held.in_sync.len() == 3));
    assert!(bench.catalogue.is_safe_to_stop(NodeId(3)));
    // It goes, and nobody is filled in its place, for it is to come back.
    bench.catalogue.apply(&fail(3)).unwrap();
    bench.elsewhere(&welcome(3));
    bench.pass(500, &[2, 3]);
    assert_eq!(bench.commands(), [], "what is to be stopped is not filled");
}

#[test]
fn a_drained_node_that_has_ended_is_not_welcomed_for_its_last_beacons() {
    let mut bench = Bench::leading(cluster(3, 12, 2, 2));
    bench.elsewhere(&drain(3));
    settle(&mut bench, &[2, 3]);
    bench.elsewhere(&fail(3));
    bench.pass(300, &[2, 3]);
    bench.pass(1_000, &[2]);
    assert_eq!(bench.commands(), []);
    // One that goes on running is a member as before.
    bench.pass(600, &[2, 3]);
    assert!(bench.commands().contains(&welcome(3)));
}

#[test]
fn a_draining_node_returns_to_what_nobody_else_has() {
    let mut bench = Bench::leading(cluster(2, 2, 0, 1));
    bench.elsewhere(&drain(2));
    bench.effects();
    bench.elsewhere(&fail(2));
    bench.pass(1_000, &[2]);
    assert!(bench.commands().contains(&welcome(2)));
}

#[test]
fn a_role_goes_to_nobody_who_is_silent() {
    let mut bench = Bench::leading(cluster(3, 6, 2, 1));
    bench.pass(400, &[2]);
    let (_, command) = bench.proposal();
    assert_eq!(command, fail(3), "it is silent, and that is not applied yet");
    bench.elsewhere(&drain(1));
    let to = steps(&bench.proposal().1).into_iter().map(|(partition, step)| {
        let Step::Appoint { join } = step else { panic!("{step:?}") };
        let held = bench.catalogue.configuration(PartitionId(partition)).unwrap();
        held.in_sync.iter().find(|replica| replica.join == join).unwrap().node
    });
    assert_eq!(to.collect::<Vec<_>>(), [NodeId(2)], "the other one is for later");
}
