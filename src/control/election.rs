//! Whether this node may stand for election.
//!
//! Consensus has no vote before the vote: a candidate raises the term, and whoever leads in an older one steps down as
//! soon as it hears of it. So a node that could not win must not try: one that has just started and is not connected yet,
//! or one that is cut off. A majority of the voters must be in sight, for a moment in which a leader would be heard.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use super::group::Group;
use crate::{net::Seen, types::NodeId};

/// A leader that is connected is heard several times within this time.
const LISTENS: Duration = Duration::from_millis(300);
/// The voters may change without anybody coming into sight.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Allows elections while they can be won, until the group has ended.
pub(super) async fn allow(group: Weak<Group>, mut seen: watch::Receiver<Arc<BTreeMap<NodeId, Seen>>>) {
    let mut was_in_sight = false;
    loop {
        {
            let Some(group) = group.upgrade() else { return };
            let everyone = Arc::clone(&seen.borrow_and_update());
            let (voters, _) = group.voters_and_nodes();
            let is_in_sight = could_win(&voters, |node| node == group.me.id || everyone.contains_key(&node));
            group.raft.runtime_config().elect(is_in_sight && was_in_sight);
            was_in_sight = is_in_sight;
        }
        if was_in_sight {
            sleep(LISTENS).await;
        }
        tokio::select! {
            () = sleep(LOOK_EVERY), if !was_in_sight => {}
            () = sleep(LISTENS), if was_in_sight => {}
            changed = seen.changed() => if changed.is_err() { return },
        }
    }
}

/// Whether those in sight are a majority, of both sets where the voters are being changed.
fn could_win(voters: &[BTreeSet<NodeId>], is_in_sight: impl Fn(NodeId) -> bool) -> bool {
    voters.iter().all(|config| {
        let in_sight = config.iter().filter(|node| is_in_sight(**node)).count();
        2 * in_sight > config.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_each_set_must_be_in_sight() {
        let config = |ids: &[u64]| ids.iter().copied().map(NodeId).collect::<BTreeSet<_>>();
        let sees = |ids: &'static [u64]| move |node: NodeId| ids.contains(&node.0);
        assert!(could_win(&[config(&[1])], sees(&[1])));
        assert!(!could_win(&[config(&[1, 2])], sees(&[1])));
        assert!(could_win(&[config(&[1, 2, 3])], sees(&[1, 3])));
        assert!(!could_win(&[config(&[1, 2, 3, 4])], sees(&[1, 3])));
        assert!(!could_win(&[config(&[1, 2, 3]), config(&[1, 4, 5])], sees(&[1, 3])));
        assert!(could_win(&[config(&[1, 2, 3]), config(&[1, 4, 5])], sees(&[1, 3, 4])));
    }
}
