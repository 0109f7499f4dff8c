use std::collections::BTreeMap;

use super::bench::{Bench, cluster, fail, node, welcome};
use crate::{
    catalog::{Command, ConfigurationChange, Response, Step},
    types::{Epoch, Generation, NodeId, PartitionId},
};

fn targets(command: &Command) -> Vec<(u16, u64)> {
    let Command::Configure(changes) = command else { panic!("{command:?}") };
    let target = |change: &ConfigurationChange| match change.step {
        Step::AddLearner { node } => Some((change.partition.0, node.0)),
        // Roles are handed over meanwhile.
        Step::Appoint { .. } => None,
        ref other => panic!("{other:?}"),
    };
    changes.iter().filter_map(target).collect()
}

/// Every learner is filled and admitted, and every role handed over that is to be.
fn admit_all(bench: &mut Bench) {
    let partitions = (0..).map(PartitionId).zip(bench.catalogue.configurations());
    let changes = partitions.flat_map(|(partition, held)| {
        let admit = held.learners.first().map(|learner| Step::Admit { join: learner.join });
        let step = admit.or(held.successor.map(|join| Step::HandOver { join }))?;
        Some(ConfigurationChange { partition, generation: held.generation, epoch: held.epoch, step })
    });
    let command = Command::Configure(changes.collect());
    let Ok(Response::Configured(outcomes)) = bench.catalogue.apply(&command) else { panic!() };
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    bench.publish();
}

/// Every learner is filled and admitted; no role is handed over.
fn admit_learners(bench: &mut Bench) {
    let partitions = (0..).map(PartitionId).zip(bench.catalogue.configurations());
    let changes = partitions.filter_map(|(partition, held)| {
        let join = held.learners.first()?.join;
        Some(held.change(partition, Step::Admit { join }))
    });
    bench.catalogue.apply(&Command::Configure(changes.collect())).unwrap();
    bench.publish();
}

fn replicas(bench: &Bench) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for replica in bench.catalogue.configurations().iter().flat_map(|held| held.replicas()) {
        *counts.entry(replica.node.0).or_default() += 1;
    }
    counts
}

#[test]
fn a_node_that_joins_is_filled_a_few_at_a_time() {
    let mut bench = Bench::leading(cluster(1, 20, 1, 1));
    bench.elsewhere(&Command::StartNode { node: node(2), after: None });
    let (proposal, command) = bench.proposal();
    let first: Vec<(u16, u64)> = (0..8).map(|partition| (partition, 2)).collect();
    assert_eq!(targets(&command), first);
    let Command::Configure(changes) = &command else { panic!() };
    assert_eq!(
        changes[0],
        ConfigurationChange {
            partition: PartitionId(0),
            generation: Generation(1),
            epoch: Epoch(1),
            step: Step::AddLearner { node: NodeId(2) },
        }
    );
    bench.beacon(2);
    assert_eq!(bench.commands(), [], "one of a kind is under way");
    bench.apply(proposal, &command).unwrap();
    assert_eq!(bench.commands(), [], "there is no room");
    admit_all(&mut bench);
    let (proposal, command) = bench.proposal();
    assert_eq!(targets(&command), (8..16).map(|partition| (partition, 2)).collect::<Vec<_>>());
    bench.apply(proposal, &command).unwrap();
    admit_all(&mut bench);
    assert_eq!(targets(&bench.proposal().1), (16..20).map(|partition| (partition, 2)).collect::<Vec<_>>());
    // Nothing moves by being admitted.
    assert!(bench.catalogue.configurations().iter().all(|held| held.primary_node() == Some(NodeId(1))));
}

#[test]
fn replicas_are_spread_over_the_nodes_that_hold_least() {
    let mut bench = Bench::leading(cluster(4, 40, 1, 1));
    bench.pass(400, &[2, 3]);
    let (proposal, command) = bench.proposal();
    assert_eq!(command, fail(4));
    bench.apply(proposal, &command).unwrap();
    loop {
        let configure = bench.proposals();
        let [(proposal, command)] = &configure[..] else { break };
        bench.apply(*proposal, command).unwrap();
        admit_all(&mut bench);
    }
    let counts = replicas(&bench);
    assert_eq!(counts.values().sum::<usize>(), 80);
    assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1, "{counts:?}");
    assert_eq!(counts.len(), 3);
}

#[test]
fn a_node_that_joins_last_gets_its_share_though_others_have_room() {
    let mut bench = Bench::leading(cluster(3, 60, 1, 1));
    bench.pass(100, &[2, 3]);
    for command in [fail(3), Command::StartNode { node: node(4), after: None }] {
        bench.catalogue.apply(&command).unwrap();
    }
    bench.publish();
    loop {
        let configure = bench.proposals();
        let [(proposal, command)] = &configure[..] else { break };
        bench.apply(*proposal, command).unwrap();
        admit_all(&mut bench);
    }
    let counts = replicas(&bench);
    assert_eq!(counts, BTreeMap::from([(1, 40), (2, 40), (4, 40)]));
}

#[test]
fn a_silent_node_neither_fills_nor_is_filled() {
    let mut bench = Bench::leading(cluster(2, 4, 0, 1));
    bench.pass(100, &[2]);
    bench.pass(400, &[]);
    assert_eq!(bench.commands(), [fail(2)]);
    // That is not decided yet when another node joins, to hold the backups that are asked for from now on.
    bench.catalogue.backup_count = 1;
    bench.elsewhere(&Command::StartNode { node: node(3), after: None });
    let led =
        |partition: usize| bench.catalogue.configurations()[partition].primary_node() == Some(NodeId(1));
    let expected: Vec<(u16, u64)> =
        (0..4).filter(|partition| led(*partition)).map(|partition| (partition as u16, 3)).collect();
    assert_eq!(expected.len(), 2);
    assert_eq!(targets(&bench.proposal().1), expected);
}

/// Nothing can be committed there, and so no role handed over, before they are filled.
#[test]
fn what_is_missing_does_not_wait_for_roles_that_wait_for_it() {
    let mut bench = Bench::new(cluster(4, 128, 2, 3));
    bench.lead();
    for (proposal, command) in bench.proposals() {
        bench.apply(proposal, &command).unwrap();
    }
    bench.pass(100, &[2, 3, 4]);
    let partitions = (0..).map(PartitionId).zip(bench.catalogue.configurations());
    let appointed = partitions.filter_map(|(partition, held)| {
        let is_theirs = held.primary_node() == Some(NodeId(2)) && held.replica_at(NodeId(4)).is_some();
        let join = held.replica_at(NodeId(3)).filter(|_| is_theirs)?.join;
        Some(held.change(partition, Step::Appoint { join }))
    });
    let appointed: Vec<ConfigurationChange> = appointed.take(8).collect();
    assert_eq!(appointed.len(), 8, "as many as a node hands over at one time");
    let waiting: Vec<PartitionId> = appointed.iter().map(|change| change.partition).collect();
    bench.catalogue.apply(&Command::Configure(appointed)).unwrap();
    bench.elsewhere(&fail(4));
    let mut filled = Vec::new();
    for _ in 0..60 {
        for (proposal, command) in bench.proposals() {
            filled.extend(targets(&command).into_iter().map(|(partition, _)| PartitionId(partition)));
            bench.apply(proposal, &command).unwrap();
        }
        bench.pass(100, &[2, 3]);
        admit_learners(&mut bench);
    }
    let left: Vec<_> = waiting.iter().filter(|partition| !filled.contains(partition)).collect();
    assert!(left.is_empty(), "{left:?} of {waiting:?} were never filled");
}

#[test]
fn a_refused_change_is_decided_anew_a_moment_later() {
    let mut bench = Bench::leading(cluster(1, 1, 1, 1));
    bench.elsewhere(&Command::StartNode { node: node(2), after: None });
    let (proposal, command) = bench.proposal();
    // Somebody else was first.
    bench.catalogue.apply(&command).unwrap();
    bench.catalogue.apply(&fail(2)).unwrap();
    bench.apply(proposal, &command).unwrap();
    assert_eq!(bench.commands(), []);
    bench.catalogue.apply(&welcome(2)).unwrap();
    bench.publish();
    assert_eq!(bench.commands(), []);
    bench.pass(100, &[2]);
    let [Command::Configure(changes)] = &bench.commands()[..] else { panic!() };
    assert_eq!(changes[0].epoch, Epoch(3));
}
