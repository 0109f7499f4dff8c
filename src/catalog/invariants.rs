//! What holds of every catalogue, whatever was applied to it.

use std::collections::BTreeSet;

use super::{Catalogue, Configuration};
use crate::types::JoinId;

/// Panics unless it holds of this one.
pub(super) fn check(catalogue: &Catalogue) {
    assert_eq!(catalogue.configurations().len(), usize::from(catalogue.partition_count));
    let mut joins = BTreeSet::new();
    for held in catalogue.configurations() {
        check_one(catalogue, held);
        for replica in held.replicas() {
            assert!(joins.insert(replica.join), "join {} is given twice", replica.join);
            assert!(catalogue.member(replica.node).is_some(), "{held:?}");
        }
    }
}

fn check_one(catalogue: &Catalogue, held: &Configuration) {
    if held.is_lost() {
        assert_eq!((held.primary, held.replicas().count()), (JoinId::NOBODY, 0), "{held:?}");
        return;
    }
    assert!(held.in_sync.iter().any(|replica| replica.join == held.primary), "{held:?}");
    let nodes: BTreeSet<_> = held.replicas().map(|replica| replica.node).collect();
    assert_eq!(nodes.len(), held.replicas().count(), "a node holds two replicas: {held:?}");
    let is_short = held.in_sync.len() < usize::from(catalogue.min_in_sync);
    assert!(is_short || held.eligible.is_empty(), "{held:?}");
    assert!(held.successor.is_none_or(|join| held.is_backup(join)), "{held:?}");
    let up = |replica: &super::Replica| catalogue.is_up(replica.node);
    assert!(
        held.in_sync.len() == 1 || held.in_sync.iter().all(up),
        "somebody silent is waited for: {held:?}"
    );
    assert!(held.learners.iter().all(up), "{held:?}");
}

/// Panics unless one command may have led from the one to the other.
pub(super) fn check_step(before: &Catalogue, after: &Catalogue) {
    check(after);
    let next = before.next.join;
    let mut moved = before.members != after.members || before.tenure != after.tenure;
    for (was, is) in before.configurations().iter().zip(after.configurations()) {
        if was == is {
            continue;
        }
        moved = true;
        assert_eq!(is.epoch.0, was.epoch.0 + 1, "{was:?} {is:?}");
        assert!(is.generation >= was.generation);
        let old: BTreeSet<JoinId> = was.replicas().map(|replica| replica.join).collect();
        for join in is.replicas().map(|replica| replica.join).filter(|join| !old.contains(join)) {
            assert!((next..after.next.join).contains(&join.0), "join {join} is not fresh");
        }
        if is.generation == was.generation && !is.is_lost() {
            assert!(is.in_sync.iter().all(|replica| old.contains(&replica.join)), "{was:?} {is:?}");
            let is_next = was.primary != is.primary;
            assert_eq!(is.tenure, was.tenure + u64::from(is_next), "{was:?} {is:?}");
        }
    }
    let born = !before.is_founded() && after.is_founded();
    assert_eq!(after.placement.0, before.placement.0 + u64::from(moved || born));
}
