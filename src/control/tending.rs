//! The leader's care for who votes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
    time::Duration,
};

use openraft::ChangeMembers;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{
    group::Group,
    voters::{self, Change, Standing},
};
use crate::{catalog::Catalogue, types::NodeId};

/// How often the leader looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A voter that is silent for so long is replaced.
pub const DEAD_AFTER: Duration = Duration::from_secs(60);
/// Entries that a node may lack to be made a voter.
const LAG: u64 = 100;
/// How long a change may take before it is looked at anew.
const CHANGING: Duration = Duration::from_secs(10);

/// Looks after the voters while this node leads, until the group has ended.
pub(super) async fn tend(group: Weak<Group>, dead_after: Duration) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Counted in looks, which come later where the node itself is slow.
    let dead_looks = u32::try_from(dead_after.as_millis() / LOOK_EVERY.as_millis()).unwrap_or(u32::MAX);
    let mut silent = Silence { dead_looks, looks: BTreeMap::new() };
    loop {
        ticks.tick().await;
        let Some(group) = group.upgrade() else { return };
        if !group.leads() {
            silent.looks.clear();
            continue;
        }
        let catalogue = group.catalogue();
        silent.look(&catalogue);
        if catalogue.is_founded() {
            group.tend(&silent).await;
        }
    }
}

/// At how many looks in a row each member was down.
struct Silence {
    dead_looks: u32,
    looks: BTreeMap<NodeId, u32>,
}

impl Silence {
    fn look(&mut self, catalogue: &Catalogue) {
        let down = catalogue.members().filter(|member| !member.is_up()).map(|member| member.node.id);
        self.looks = down
            .map(|node| (node, self.looks.get(&node).map_or(1, |looks| looks.saturating_add(1))))
            .collect();
    }

    fn standing(&self, node: NodeId) -> Option<Standing> {
        let looks = *self.looks.get(&node)?;
        Some(if looks >= self.dead_looks { Standing::Dead } else { Standing::Silent })
    }
}

impl Group {
    async fn tend(&self, silent: &Silence) {
        let Ok(_one_at_a_time) = self.membership.try_lock() else { return };
        // Read anew, as a member may have joined meanwhile.
        let catalogue = self.catalogue();
        let (configs, nodes) = self.voters_and_nodes().await;
        let members = self.standings(&catalogue, silent);
        let Some(change) = voters::next(&configs, &nodes, &members) else { return };
        let changed = match change {
            Change::Voters(voters) => {
                let ids: BTreeSet<u64> = voters.iter().map(|node| node.0).collect();
                let changed = timeout(CHANGING, self.raft.change_membership(ids, true)).await;
                if matches!(changed, Ok(Ok(_))) {
                    tracing::info!("{} nodes vote in the control group", voters.len());
                }
                changed
            }
            Change::Forget(node) => {
                let forgotten = ChangeMembers::RemoveNodes(BTreeSet::from([node.0]));
                timeout(CHANGING, self.raft.change_membership(forgotten, true)).await
            }
        };
        match changed {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!("the voters could not be changed: {error}"),
            Err(_) => tracing::warn!("the voters could not be changed: a quorum has not answered in time"),
        }
    }

    fn standings(&self, catalogue: &Catalogue, silent: &Silence) -> BTreeMap<NodeId, Standing> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let last = metrics.last_log_index.unwrap_or_default();
        let seen = self.seen();
        let is_ready = |node: NodeId| {
            let matched = metrics.replication.as_ref().and_then(|replication| *replication.get(&node.0)?);
            let has_log = matched.is_some_and(|matched| matched.index.saturating_add(LAG) >= last);
            node == self.me.id || (has_log && seen.contains_key(&node))
        };
        let standing = |node: NodeId| {
            let heard = if is_ready(node) { Standing::Ready } else { Standing::Behind };
            silent.standing(node).unwrap_or(heard)
        };
        catalogue.members().map(|member| (member.node.id, standing(member.node.id))).collect()
    }
}

/// Says what a cluster of two is not.
pub(super) fn warn_of_two(catalogue: &Arc<Catalogue>) {
    if catalogue.members().count() == 2 {
        tracing::warn!("the cluster has two nodes: it cannot fail over, a third one would let it");
    }
}
