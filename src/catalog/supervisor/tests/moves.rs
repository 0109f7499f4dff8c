//! A sole holder is moved, in a cluster that needs two in sync. Node 2 is primary of the partition, node 3 fell away
//! and stayed eligible, and then node 2 falls silent.

use super::bench::{Bench, cluster, fail};
use crate::{
    catalog::{
        Catalogue, Command, Configuration, ConfigurationChange, Response, Step,
        supervisor::{Effect, ProposalId},
    },
    types::{Error, JoinId, NodeId, PartitionId, Tenure},
};

const PARTITION: PartitionId = PartitionId(2);

/// Nodes 1, 2 and 3 without the last; all that can be filled is being filled.
fn short() -> Catalogue {
    let mut catalogue = cluster(3, 3, 1, 2);
    catalogue.apply(&fail(3)).unwrap();
    let learner = |(partition, node)| {
        let held = catalogue.configuration(PartitionId(partition)).unwrap();
        change(PartitionId(partition), held, Step::AddLearner { node: NodeId(node) })
    };
    let learners = Command::Configure([(1, 2), (2, 1)].map(learner).to_vec());
    catalogue.apply(&learners).unwrap();
    catalogue
}

fn change(partition: PartitionId, held: &Configuration, step: Step) -> ConfigurationChange {
    ConfigurationChange { partition, generation: held.generation, epoch: held.epoch, step }
}

fn held(catalogue: &Catalogue) -> &Configuration {
    catalogue.configuration(PARTITION).unwrap()
}

fn promotions(command: &Command) -> Vec<&ConfigurationChange> {
    let Command::Configure(changes) = command else { return Vec::new() };
    changes.iter().filter(|change| matches!(change.step, Step::Promote { .. })).collect()
}

/// The promotions proposed since, if any. Other changes of configurations are applied; no quorum confirms anything.
fn promoted(bench: &mut Bench) -> Option<(ProposalId, Command)> {
    loop {
        let mut configure = Vec::new();
        for effect in bench.effects() {
            match effect {
                Effect::Propose { proposal, command: Command::Configure(changes) } => {
                    configure.push((proposal, Command::Configure(changes)));
                }
                Effect::Confirm { round } => bench.confirm(round, false),
                _ => {}
            }
        }
        let (proposal, command) = configure.pop()?;
        if !promotions(&command).is_empty() {
            return Some((proposal, command));
        }
        bench.apply(proposal, &command).unwrap();
    }
}

/// Node 3 is back, node 2 is silent, both by the catalogue.
fn orphaned(bench: &mut Bench) {
    for command in [super::bench::welcome(3), fail(2)] {
        bench.catalogue.apply(&command).unwrap();
    }
    bench.publish();
}

#[test]
fn an_eligible_replica_takes_over_when_every_lease_is_over() {
    let mut bench = Bench::leading(short());
    let [sole, spare] = [held(&bench.catalogue).in_sync[0], held(&bench.catalogue).eligible[0]];
    assert_eq!((sole.node, spare.node), (NodeId(2), NodeId(3)));
    bench.pass(600, &[2, 3]);
    // A lease is granted to node 2 for its last beacon, at 10,600.
    let round = bench.round();
    bench.confirm(round, true);
    let round = bench.round();
    bench.confirm(round, true);
    assert_eq!(bench.effects(), [bench.grant(2, 10_600)]);
    bench.pass(100, &[3]);
    orphaned(&mut bench);
    bench.pass(400, &[3]);
    assert_eq!(promoted(&mut bench), None);
    assert_eq!(bench.now_ms, 11_100);
    bench.now_ms = 11_149;
    bench.beacon(3);
    assert_eq!(promoted(&mut bench), None);
    bench.now_ms = 11_150;
    bench.beacon(3);
    let (proposal, command) = promoted(&mut bench).unwrap();
    let promotion = Step::Promote { join: spare.join, tenure: Tenure(1) };
    assert_eq!(promotions(&command), [&change(PARTITION, held(&bench.catalogue), promotion)]);
    bench.apply(proposal, &command).unwrap();
    let held = held(&bench.catalogue);
    assert_eq!((held.primary, &held.in_sync[..]), (spare.join, &[spare][..]));
    assert_eq!(held.eligible, [sole], "it has every committed entry still");
}

#[test]
fn a_new_leader_waits_out_what_others_may_have_granted() {
    let mut catalogue = short();
    for command in [super::bench::welcome(3), fail(2)] {
        catalogue.apply(&command).unwrap();
    }
    let mut bench = Bench::new(catalogue);
    bench.pass(1000, &[3]);
    bench.lead();
    let (lead, command) = bench.proposals().remove(0);
    assert_eq!(command, Command::Lead);
    bench.pass(500, &[3]);
    assert_eq!(promoted(&mut bench), None);
    bench.apply(lead, &command).unwrap();
    bench.pass(500, &[3]);
    assert_eq!(promoted(&mut bench), None, "the wait begins when the tenure does");
    bench.pass(100, &[3]);
    assert!(promoted(&mut bench).is_some());
}

#[test]
fn a_holder_that_is_heard_is_not_moved_and_one_that_is_moved_is_granted_nothing() {
    let mut bench = Bench::leading(short());
    bench.pass(600, &[2, 3]);
    orphaned(&mut bench);
    bench.pass(200, &[2, 3]);
    assert_eq!(promoted(&mut bench), None);
    bench.pass(300, &[3]);
    assert_eq!(promoted(&mut bench), None);
    bench.pass(100, &[3]);
    let (proposal, command) = promoted(&mut bench).unwrap();
    // Here it is again, too late: whether it is moved is not known.
    bench.pass(100, &[2, 3]);
    assert_eq!(bench.effects(), []);
    // Nor is it when the answer is lost. A new tenure makes the old proposal void; until then nothing is granted.
    bench.outcome(proposal, Err(Error::unavailable("the answer is lost")));
    let (lead, taken_up) = bench.proposals().remove(0);
    assert_eq!(taken_up, Command::Lead);
    bench.beacon(2);
    assert_eq!(promoted(&mut bench), None);
    bench.apply(lead, &taken_up).unwrap();
    let Ok(Response::Configured(outcomes)) = bench.catalogue.apply(&command) else { panic!() };
    let refusal = outcomes[0].clone().unwrap_err();
    assert_eq!(refusal.message, "partition 2: tenure 1 is over: this is 2");
    bench.pass(100, &[2, 3]);
    bench.round();
}

#[test]
fn a_quorum_that_confirms_late_grants_nothing_to_one_that_is_being_moved() {
    let mut bench = Bench::leading(short());
    bench.pass(600, &[2, 3]);
    let first = bench.round();
    bench.confirm(first, true);
    // This one, for the beacon of 10,600, is answered when all that was granted before is over.
    let late = bench.round();
    for command in [super::bench::welcome(3), fail(2)] {
        bench.catalogue.apply(&command).unwrap();
    }
    bench.publish();
    let mut configure = bench.proposals();
    configure.retain(|(_, command)| matches!(command, Command::Configure(_)));
    let (proposal, command) = configure.remove(0);
    bench.apply(proposal, &command).unwrap();
    bench.pass(400, &[3]);
    let is_promotion = |(_, command): &(ProposalId, Command)| !promotions(command).is_empty();
    assert!(bench.proposals().iter().any(is_promotion));
    bench.confirm(late, true);
    assert!(!bench.effects().iter().any(|effect| matches!(effect, Effect::Grant(_))));
}

#[test]
fn an_answer_that_never_comes_is_a_lost_one() {
    let mut bench = Bench::leading(short());
    bench.pass(600, &[2, 3]);
    orphaned(&mut bench);
    bench.pass(700, &[3]);
    assert!(promoted(&mut bench).is_some());
    bench.pass(1000, &[3]);
    assert!(bench.commands().contains(&Command::Lead));
}

#[test]
fn a_promotion_needs_silence_an_eligible_replica_and_the_present_tenure() {
    let mut catalogue = short();
    let refusal = |catalogue: &mut Catalogue, join: JoinId, tenure: u64| {
        let change = change(PARTITION, held(catalogue), Step::Promote { join, tenure: Tenure(tenure) });
        let Ok(Response::Configured(outcomes)) = catalogue.apply(&Command::Configure(vec![change])) else {
            panic!()
        };
        outcomes[0].clone().map_err(|error| error.message.split_once(": ").unwrap().1.to_owned())
    };
    let [sole, spare] = [held(&catalogue).in_sync[0].join, held(&catalogue).eligible[0].join];
    assert_eq!(refusal(&mut catalogue, spare, 1), Err("tenure 1 is over: this is 0".into()));
    assert_eq!(refusal(&mut catalogue, spare, 0), Err(format!("replica {sole} is in sync and up")));
    catalogue.apply(&fail(2)).unwrap();
    assert_eq!(refusal(&mut catalogue, spare, 0), Err("the node 0000000000000003 is not up".into()));
    catalogue.apply(&super::bench::welcome(3)).unwrap();
    assert_eq!(refusal(&mut catalogue, sole, 0), Err(format!("replica {sole} has no such role in it")));
    assert!(refusal(&mut catalogue, spare, 0).is_ok());
}
