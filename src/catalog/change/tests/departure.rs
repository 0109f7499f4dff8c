//! Nodes fall silent, return, restart; rows are lost, and given up.

use std::collections::BTreeMap;

use super::placement::{applied, change, cluster, fail, health, held, replica, start, welcome};
use crate::{
    catalog::{Catalogue, Command, Configuration, Health, MemberState, Response, Step},
    types::{Class, Epoch, Generation, Incarnation, JoinId, NodeId, PlacementVersion},
};

fn primaries(catalogue: &Catalogue) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for node in catalogue.configurations().iter().filter_map(Configuration::primary_node) {
        *counts.entry(node.0).or_default() += 1;
    }
    counts
}

#[test]
fn one_command_takes_a_silent_node_out_of_all_its_partitions() {
    let mut catalogue = cluster(3, 3, 1, 1);
    let before = catalogue.clone();
    assert_eq!(applied(&mut catalogue, &fail(2)), Response::Node { changed: true });
    assert_eq!(catalogue.placement, PlacementVersion(2));
    assert_eq!(catalogue.member(NodeId(2)).unwrap().state, MemberState::Down);
    // It was the backup of partition 0 and the primary of partition 2.
    let sole = |join, node| Configuration::sole(Generation(1), Epoch(2), replica(join, node));
    let promoted = |join, node| Configuration { tenure: 1, ..sole(join, node) };
    assert_eq!(held(&catalogue, 0), &sole(1, 1));
    assert_eq!(held(&catalogue, 1), held(&before, 1));
    assert_eq!(held(&catalogue, 2), &promoted(6, 3));
    assert_eq!(health(&catalogue, 0), Health::UnderReplicated);
    assert_eq!(applied(&mut catalogue, &fail(2)), Response::Node { changed: false });

    assert_eq!(applied(&mut catalogue, &welcome(2)), Response::Node { changed: true });
    assert_eq!(held(&catalogue, 0), &sole(1, 1), "it holds nothing");
    for (command, class, message) in [
        (Command::FailNode { node: NodeId(9), incarnation: Incarnation(1) }, Class::NotFound, "not a member"),
        (
            Command::FailNode { node: NodeId(2), incarnation: Incarnation(2) },
            Class::Conflict,
            "start 2 of the node `n2` is over: it is at start 1",
        ),
    ] {
        let error = catalogue.apply(&command).unwrap_err();
        assert_eq!(error.class, class);
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn the_primaries_of_a_silent_node_are_spread_evenly() {
    for (nodes, backups) in [(3, 1), (3, 2), (5, 1), (5, 2), (6, 3)] {
        for failed in 1..=nodes {
            let mut catalogue = cluster(nodes, 271, backups, 1);
            applied(&mut catalogue, &fail(failed));
            let counts = primaries(&catalogue);
            let spread = counts.values().max().unwrap() - counts.values().min().unwrap();
            // With one backup there is nothing to choose: then it rests on how the backups are spread.
            assert!(spread <= if backups == 1 { 2 } else { 1 }, "{nodes} {backups}: {counts:?}");
            assert_eq!(counts.len() as u64, nodes - 1);
        }
    }
}

#[test]
fn a_sole_holder_that_is_silent_stays() {
    let mut catalogue = cluster(2, 2, 1, 1);
    applied(&mut catalogue, &fail(1));
    let before = held(&catalogue, 0).clone();
    applied(&mut catalogue, &fail(2));
    assert_eq!(held(&catalogue, 0), &before);
    assert_eq!(health(&catalogue, 0), Health::Unavailable);
    // It is taken to be down: with another beside it, it would have to be moved.
    applied(&mut catalogue, &welcome(1));
    let error = change(&mut catalogue, 0, Step::AddLearner { node: NodeId(1) }).unwrap_err();
    assert_eq!(error.message, "partition 0: there is no primary to fill a learner from");
    applied(&mut catalogue, &welcome(2));
    assert_eq!(health(&catalogue, 0), Health::UnderReplicated);
}

#[test]
fn a_silent_primary_admits_nobody() {
    let mut catalogue = cluster(1, 1, 1, 1);
    applied(&mut catalogue, &start(2));
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(2) }).unwrap();
    applied(&mut catalogue, &fail(1));
    let error = change(&mut catalogue, 0, Step::Admit { join: JoinId(2) }).unwrap_err();
    assert_eq!(error.message, "partition 0: its primary is taken to be down");
    applied(&mut catalogue, &fail(2));
    assert_eq!(held(&catalogue, 0).learners, []);
}

#[test]
fn who_falls_away_stays_eligible_while_nothing_can_commit() {
    let mut catalogue = cluster(3, 1, 2, 2);
    let [one, two, three] = [replica(1, 1), replica(2, 2), replica(3, 3)];
    assert_eq!(held(&catalogue, 0).in_sync, [one, two, three]);
    applied(&mut catalogue, &fail(3));
    assert_eq!(held(&catalogue, 0).eligible, [], "two are enough");
    assert_eq!(health(&catalogue, 0), Health::UnderReplicated);
    applied(&mut catalogue, &fail(1));
    let short = held(&catalogue, 0).clone();
    assert_eq!((short.primary, &short.in_sync[..]), (two.join, &[two][..]));
    assert_eq!(short.eligible, [one], "a primary that falls away has every committed entry");
    assert_eq!(health(&catalogue, 0), Health::Unavailable, "no write can commit");

    // It is not filled anew while it may be needed; it never lacked an entry, so it can be admitted as it is.
    applied(&mut catalogue, &welcome(1));
    let error = change(&mut catalogue, 0, Step::AddLearner { node: NodeId(1) }).unwrap_err();
    assert_eq!(error.message, "partition 0: the node 0000000000000001 holds replica 1 of it");
    let error = change(&mut catalogue, 0, Step::Remove { join: one.join }).unwrap_err();
    assert_eq!(error.message, "partition 0: replica 1 has no such role in it");
    let mut again = catalogue.clone();
    change(&mut again, 0, Step::Admit { join: one.join }).unwrap();
    assert_eq!((&held(&again, 0).in_sync[..], &held(&again, 0).eligible[..]), (&[two, one][..], &[][..]));

    // With another one in its place it is not needed any more.
    applied(&mut catalogue, &welcome(3));
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(3) }).unwrap();
    change(&mut catalogue, 0, Step::Admit { join: JoinId(4) }).unwrap();
    assert_eq!(held(&catalogue, 0).in_sync, [two, replica(4, 3)]);
    assert_eq!(held(&catalogue, 0).eligible, []);
}

#[test]
fn a_backup_that_the_primary_removes_stays_eligible_too() {
    let mut catalogue = cluster(2, 1, 1, 2);
    change(&mut catalogue, 0, Step::Remove { join: JoinId(2) }).unwrap();
    assert_eq!(held(&catalogue, 0).eligible, [replica(2, 2)]);
    change(&mut catalogue, 0, Step::Admit { join: JoinId(2) }).unwrap();
    assert_eq!(held(&catalogue, 0).in_sync, [replica(1, 1), replica(2, 2)]);
}

#[test]
fn a_node_that_restarts_leaves_every_role() {
    let mut catalogue = cluster(3, 3, 1, 1);
    let response = applied(&mut catalogue, &start(2));
    assert_eq!(response, Response::Started { incarnation: Incarnation(2), new_generation: false });
    let sole = |join, node| Configuration::sole(Generation(1), Epoch(2), replica(join, node));
    let promoted = Configuration { tenure: 1, ..sole(6, 3) };
    assert_eq!((held(&catalogue, 0), held(&catalogue, 2)), (&sole(1, 1), &promoted));
    let error = catalogue.apply(&fail(2)).unwrap_err();
    assert_eq!(error.message, "start 1 of the node `n2` is over: it is at start 2");
    // A learner and an eligible replica are gone as well.
    change(&mut catalogue, 0, Step::AddLearner { node: NodeId(2) }).unwrap();
    applied(&mut catalogue, &start(2));
    assert_eq!(held(&catalogue, 0).learners, []);
    let mut catalogue = cluster(2, 1, 1, 2);
    applied(&mut catalogue, &fail(2));
    assert_eq!(held(&catalogue, 0).eligible, [replica(2, 2)]);
    applied(&mut catalogue, &start(2));
    assert_eq!(held(&catalogue, 0).eligible, []);
    assert!(catalogue.is_up(NodeId(2)));
}

#[test]
fn an_eligible_replica_takes_over_from_one_that_restarts() {
    let mut catalogue = cluster(3, 1, 2, 3);
    applied(&mut catalogue, &fail(2));
    applied(&mut catalogue, &fail(3));
    applied(&mut catalogue, &welcome(3));
    assert_eq!(held(&catalogue, 0).eligible, [replica(2, 2), replica(3, 3)]);
    applied(&mut catalogue, &start(1));
    let heir = held(&catalogue, 0);
    assert_eq!((heir.primary, &heir.in_sync[..]), (JoinId(3), &[replica(3, 3)][..]), "the one that is heard");
    assert_eq!(heir.eligible, [replica(2, 2)]);
    // With none that is heard, one that may come back is still better than none.
    applied(&mut catalogue, &start(3));
    assert_eq!(held(&catalogue, 0).in_sync, [replica(2, 2)]);
    assert_eq!(health(&catalogue, 0), Health::Unavailable);
}

#[test]
fn a_partition_is_lost_when_everyone_who_had_its_rows_has_restarted() {
    let mut catalogue = cluster(3, 3, 1, 1);
    applied(&mut catalogue, &start(1));
    applied(&mut catalogue, &start(2));
    let lost = held(&catalogue, 0).clone();
    assert!(lost.is_lost());
    assert_eq!((lost.primary, lost.primary_node(), lost.epoch), (JoinId::NOBODY, None, Epoch(3)));
    let states = [0, 1, 2].map(|partition| health(&catalogue, partition));
    assert_eq!(states, [Health::Lost, Health::UnderReplicated, Health::UnderReplicated]);
    let error = change(&mut catalogue, 0, Step::AddLearner { node: NodeId(3) }).unwrap_err();
    assert_eq!(error.message, "partition 0: there is no primary to fill a learner from");

    let reset = Command::ResetLost { unavailable: false };
    assert_eq!(applied(&mut catalogue, &reset), Response::Reset { partitions: 1 });
    assert_eq!(held(&catalogue, 0), &Configuration::sole(Generation(2), Epoch(4), replica(7, 1)));
    let placement = catalogue.placement;
    assert_eq!(applied(&mut catalogue, &reset), Response::Reset { partitions: 0 });
    assert_eq!(catalogue.placement, placement);
}

#[test]
fn an_operator_may_give_up_what_is_unavailable() {
    let mut catalogue = cluster(4, 12, 0, 1);
    applied(&mut catalogue, &fail(4));
    let reset = |unavailable| Command::ResetLost { unavailable };
    assert_eq!(applied(&mut catalogue, &reset(false)), Response::Reset { partitions: 0 });
    assert_eq!(applied(&mut catalogue, &reset(true)), Response::Reset { partitions: 3 });
    assert_eq!(primaries(&catalogue), BTreeMap::from([(1, 4), (2, 4), (3, 4)]));
    // What it brings back is nobody's replica.
    applied(&mut catalogue, &welcome(4));
    assert!(catalogue.configurations().iter().all(|held| held.replica_at(NodeId(4)).is_none()));

    let mut catalogue = cluster(2, 2, 0, 1);
    applied(&mut catalogue, &fail(1));
    applied(&mut catalogue, &fail(2));
    let error = catalogue.apply(&reset(true)).unwrap_err();
    assert_eq!(error.message, "no node is up that could hold a partition");
}

#[test]
fn what_can_still_be_promoted_is_not_given_up() {
    let mut catalogue = cluster(2, 1, 1, 2);
    for command in [fail(2), fail(1), welcome(2)] {
        applied(&mut catalogue, &command);
    }
    let response = applied(&mut catalogue, &Command::ResetLost { unavailable: true });
    assert_eq!(response, Response::Reset { partitions: 0 });
}
