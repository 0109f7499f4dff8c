//! Rule 20: replicas that hold different rows are found out.

use super::*;
use crate::partition::Core;

/// Everybody is in sync, has the same row, and was compared with that.
fn compared(hosts: u64) -> Cluster {
    let mut cluster = Cluster::new(hosts, hosts, 1);
    cluster.request(1, put(1, "a", "x"));
    cluster.live(2_500_000);
    assert_eq!((cluster.proposed.len(), cluster.differences.len()), (0, 0));
    cluster
}

/// A row of a replica is gone, and nobody knows why.
fn spoil(cluster: &mut Cluster, node: u64) {
    let core = cluster.host(node).core.as_mut().unwrap();
    let mut changes = core.ledger.store.apply();
    let hash = changes.hash(key("a").packed());
    assert!(changes.find(PLAIN, hash, key("a").packed()).is_some());
    changes.remove(PLAIN, hash, key("a").packed());
}

#[test]
fn one_that_differs_from_most_is_expelled_and_copied_anew() {
    let mut cluster = compared(3);
    let join = join_of(&cluster, 3);
    spoil(&mut cluster, 3);
    cluster.live(1_000_000);
    assert_eq!(cluster.proposed[0].change, Proposal::Expel { join });
    cluster.proposed.truncate(1);
    assert!(cluster.decide());
    assert_eq!(cluster.control.latest().eligible, [], "it must not come back as it is");
    cluster.command(Command::AddLearner(NodeId(3)));
    cluster.configure_all();
    while cluster.proposed.is_empty() {
        cluster.live(10_000);
    }
    assert!(cluster.decide());
    cluster.configure_all();
    cluster.live(2_000_000);
    cluster.assert_equal();
    assert_eq!((cluster.proposed.len(), cluster.differences.len()), (0, 0));
}

#[test]
fn where_nobody_can_say_who_is_right_it_is_told_once() {
    let mut cluster = compared(2);
    spoil(&mut cluster, 2);
    cluster.live(3_000_000);
    assert_eq!(cluster.proposed, [], "there is nobody to ask");
    let [difference] = &cluster.differences[..] else { panic!("{:?}", cluster.differences) };
    let (primary, backup) =
        (cluster.hosts[0].core.as_ref().unwrap(), cluster.hosts[1].core.as_ref().unwrap());
    assert_eq!((difference.at, difference.checksum), (primary.position(), primary.checksum()));
    assert_eq!(difference.others, [(join_of(&cluster, 2), backup.checksum())]);
    assert!(primary.differs());
}

#[test]
fn a_primary_that_differs_from_all_others_expels_nobody() {
    let mut cluster = compared(3);
    spoil(&mut cluster, 1);
    cluster.live(3_000_000);
    assert_eq!((cluster.proposed.len(), cluster.differences.len()), (0, 1));
}

#[test]
fn under_writes_they_are_compared_at_the_same_entry() {
    let mut cluster = compared(3);
    spoil(&mut cluster, 2);
    for tag in 2..152 {
        cluster.request(1, put(tag, "b", "x"));
        cluster.pass(10_000);
        cluster.deliver_if(|_| true);
    }
    let join = join_of(&cluster, 2);
    assert_eq!(cluster.proposed.first().map(|proposed| proposed.change), Some(Proposal::Expel { join }));
}

#[test]
fn a_write_that_mends_what_differs_ends_it() {
    let mut cluster = compared(2);
    spoil(&mut cluster, 2);
    cluster.live(1_500_000);
    assert!(cluster.hosts[0].core.as_ref().is_some_and(Core::differs));
    cluster.request(1, put(2, "a", "y"));
    cluster.live(1_500_000);
    assert!(!cluster.hosts[0].core.as_ref().is_some_and(Core::differs));
}
