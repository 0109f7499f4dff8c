//! Roles that are handed over, replicas that are one too many, and nodes that are drained.

use super::placement::{applied, change, cluster, fail, held, replica, start, welcome};
use crate::{
    catalog::{Catalogue, Command, Configuration, Response, Step},
    topology::Move,
    types::{Epoch, Incarnation, JoinId, NodeId, PartitionId},
};

fn drain(id: u64) -> Command {
    Command::DrainNode { node: NodeId(id), incarnation: Incarnation(1) }
}

fn appoint(join: u64) -> Step {
    Step::Appoint { join: JoinId(join) }
}

fn hand_over(join: u64) -> Step {
    Step::HandOver { join: JoinId(join) }
}

fn retire(join: u64) -> Step {
    Step::Retire { join: JoinId(join) }
}

fn refusal(catalogue: &mut Catalogue, step: Step) -> String {
    let error = change(catalogue, 0, step).unwrap_err();
    error.message.strip_prefix("partition 0: ").unwrap().to_owned()
}

/// Partition 0 in sync at as many nodes, under join ids 1, 2, ..
fn one(nodes: u64, backups: u8) -> Catalogue {
    cluster(nodes, 1, backups, 1)
}

#[test]
fn the_role_goes_to_whoever_is_appointed_and_the_primary_stays() {
    let mut catalogue = one(3, 2);
    assert_eq!(refusal(&mut catalogue, appoint(1)), "replica 1 has no such role in it");
    assert_eq!(refusal(&mut catalogue, appoint(9)), "replica 9 has no such role in it");
    assert_eq!(refusal(&mut catalogue, hand_over(2)), "replica 2 is not appointed");
    assert_eq!(change(&mut catalogue, 0, appoint(2)), Ok(Epoch(2)));
    assert_eq!((held(&catalogue, 0).successor, held(&catalogue, 0).primary), (Some(JoinId(2)), JoinId(1)));
    assert_eq!(refusal(&mut catalogue, hand_over(3)), "replica 3 is not appointed");
    assert_eq!(change(&mut catalogue, 0, hand_over(2)), Ok(Epoch(3)));
    let next = Configuration {
        primary: JoinId(2),
        in_sync: vec![replica(1, 1), replica(2, 2), replica(3, 3)],
        handed_over: true,
        tenure: 1,
        ..Configuration::sole(held(&catalogue, 0).generation, Epoch(3), replica(1, 1))
    };
    assert_eq!(held(&catalogue, 0), &next);
}

#[test]
fn that_it_was_handed_over_holds_until_the_primary_changes() {
    let mut catalogue = one(3, 2);
    change(&mut catalogue, 0, appoint(2)).unwrap();
    change(&mut catalogue, 0, hand_over(2)).unwrap();
    applied(&mut catalogue, &fail(3));
    assert!(held(&catalogue, 0).handed_over, "the tenure goes on");
    applied(&mut catalogue, &fail(2));
    assert_eq!((held(&catalogue, 0).primary, held(&catalogue, 0).handed_over), (JoinId(1), false));
}

#[test]
fn an_appointment_ends_with_the_role_of_either() {
    for failed in [1, 2] {
        let mut catalogue = one(3, 2);
        change(&mut catalogue, 0, appoint(2)).unwrap();
        applied(&mut catalogue, &fail(failed));
        assert_eq!(held(&catalogue, 0).successor, None);
    }
    let mut catalogue = one(3, 2);
    change(&mut catalogue, 0, appoint(2)).unwrap();
    applied(&mut catalogue, &fail(3));
    assert_eq!(held(&catalogue, 0).successor, Some(JoinId(2)), "it is none of its business");
    change(&mut catalogue, 0, Step::Remove { join: JoinId(2) }).unwrap();
    assert_eq!(held(&catalogue, 0).successor, None);
}

#[test]
fn a_replica_is_retired_when_it_is_one_too_many() {
    let mut catalogue = one(2, 1);
    applied(&mut catalogue, &start(3));
    assert_eq!(refusal(&mut catalogue, retire(2)), "replica 2 is not one too many");
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(3) }).unwrap();
    change(&mut catalogue, 0, Step::Admit { join: JoinId(3) }).unwrap();
    assert_eq!(refusal(&mut catalogue, retire(1)), "replica 1 has no such role in it");
    assert_eq!(change(&mut catalogue, 0, retire(2)), Ok(Epoch(4)));
    assert_eq!(held(&catalogue, 0).in_sync, [replica(1, 1), replica(3, 3)]);
    assert_eq!(refusal(&mut catalogue, retire(3)), "replica 3 is not one too many");
}

#[test]
fn a_replica_is_not_retired_beside_a_learner() {
    let mut catalogue = one(2, 1);
    for id in [3, 4] {
        applied(&mut catalogue, &start(id));
    }
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(3) }).unwrap();
    change(&mut catalogue, 0, Step::Admit { join: JoinId(3) }).unwrap();
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(4) }).unwrap();
    assert_eq!(refusal(&mut catalogue, retire(2)), "replica 2 is not one too many");
}

#[test]
fn whoever_is_expelled_is_not_eligible_though_too_few_are_left() {
    let mut catalogue = cluster(2, 1, 1, 2);
    assert_eq!(refusal(&mut catalogue, Step::Expel { join: JoinId(1) }), "replica 1 has no such role in it");
    assert_eq!(change(&mut catalogue, 0, Step::Expel { join: JoinId(2) }), Ok(Epoch(2)));
    assert_eq!(
        (&held(&catalogue, 0).in_sync[..], &held(&catalogue, 0).eligible[..]),
        (&[replica(1, 1)][..], &[][..])
    );
}

#[test]
fn a_node_drains_until_it_starts_again() {
    let mut catalogue = one(2, 1);
    let placement = catalogue.placement;
    assert_eq!(applied(&mut catalogue, &drain(2)), Response::Node { changed: true });
    assert!(catalogue.placement > placement);
    assert_eq!(applied(&mut catalogue, &drain(2)), Response::Node { changed: false });
    assert_eq!(catalogue.staying(), [NodeId(1)].into());
    applied(&mut catalogue, &fail(2));
    applied(&mut catalogue, &welcome(2));
    assert!(catalogue.member(NodeId(2)).unwrap().draining, "it is to be stopped still");
    applied(&mut catalogue, &start(2));
    assert!(!catalogue.member(NodeId(2)).unwrap().draining);
    let late = catalogue.apply(&drain(2)).unwrap_err();
    assert_eq!(late.message, "start 1 of the node `n2` is over: it is at start 2");
    assert!(catalogue.apply(&drain(9)).is_err());
}

#[test]
fn who_drains_takes_over_only_if_nobody_else_can() {
    let mut catalogue = one(3, 2);
    applied(&mut catalogue, &drain(2));
    applied(&mut catalogue, &fail(1));
    assert_eq!(held(&catalogue, 0).primary, JoinId(3));
    applied(&mut catalogue, &fail(3));
    assert_eq!(held(&catalogue, 0).primary, JoinId(2));
}

#[test]
fn a_draining_node_can_be_stopped_when_nobody_needs_it() {
    let mut catalogue = one(2, 1);
    let is_safe = |catalogue: &Catalogue| catalogue.is_safe_to_stop(NodeId(1));
    assert!(!is_safe(&catalogue), "it is not draining");
    applied(&mut catalogue, &drain(1));
    assert!(!is_safe(&catalogue), "it is the primary");
    assert_eq!(catalogue.moves(), [(PartitionId(0), Move::HandOver(NodeId(2)))]);
    change(&mut catalogue, 0, appoint(2)).unwrap();
    change(&mut catalogue, 0, hand_over(2)).unwrap();
    assert!(is_safe(&catalogue), "nobody could take its place");
    applied(&mut catalogue, &start(3));
    assert!(!is_safe(&catalogue), "somebody can now");
    assert_eq!(catalogue.moves(), [(PartitionId(0), Move::Add(NodeId(3)))]);
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(3) }).unwrap();
    assert!(!is_safe(&catalogue));
    change(&mut catalogue, 0, Step::Admit { join: JoinId(3) }).unwrap();
    assert!(is_safe(&catalogue));
    assert_eq!(catalogue.moves(), [(PartitionId(0), Move::Drop(NodeId(1)))]);
    change(&mut catalogue, 0, retire(1)).unwrap();
    assert!(is_safe(&catalogue));
    assert_eq!(catalogue.moves(), []);
}

#[test]
fn a_node_without_which_nothing_commits_cannot_be_stopped() {
    let mut catalogue = cluster(2, 1, 1, 2);
    applied(&mut catalogue, &drain(2));
    assert!(!catalogue.is_safe_to_stop(NodeId(2)));
    applied(&mut catalogue, &fail(2));
    assert_eq!(held(&catalogue, 0).eligible, [replica(2, 2)]);
    assert!(!catalogue.is_safe_to_stop(NodeId(2)));
    assert_eq!(catalogue.moves(), [], "nothing moves where nothing commits");
}
