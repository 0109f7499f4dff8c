//! Elections, held when a leader is missed.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{folder::random, group::Group, patience::STEP_MS, raft::LogId};
use crate::{
    net::{Call, Net},
    types::NodeId,
};

/// How long those may take that are asked for a promise.
const ASKING: Duration = Duration::from_millis(150);

/// Asks whether the caller, whose log ends so, would be elected.
#[derive(Clone, Serialize, Deserialize)]
struct Would {
    last: Option<LogId>,
}

impl Call for Would {
    const NAME: &'static str = "control.would";
    type Answer = bool;
}

/// Answers who asks for a promise from now on.
pub(super) fn answer(group: &Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, Would { last }| {
        group.belongs(from)?;
        let has_as_much = last >= group.log.last();
        Ok(!group.leads() && group.patience.lock().would_vote(from.node, has_as_much, random()))
    });
}

/// Stands for election when the leader is missed, until the group has ended.
pub(super) async fn watch(group: Weak<Group>) {
    let mut steps = interval(Duration::from_millis(STEP_MS));
    // A node that was halted has missed nothing of a leader that it could have heard.
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        steps.tick().await;
        let Some(group) = group.upgrade() else { return };
        if group.leads() {
            group.patience.lock().heard(random());
            continue;
        }
        if group.patience.lock().step() {
            group.stand().await;
        }
    }
}

impl Group {
    /// Asks the voters, and stands for election if it can be won.
    async fn stand(&self) {
        let (voters, _) = self.voters_and_nodes().await;
        let votes = voters.iter().any(|config| config.contains(&self.me.id));
        let would_win = votes && is_majority(&voters, &self.promised(&voters).await);
        let stands = self.patience.lock().asked(would_win, random());
        if stands && let Err(fatal) = self.raft.trigger().elect().await {
            tracing::warn!("this node cannot stand for election: {fatal}");
        }
    }

    /// Those that would vote for this node, itself included.
    async fn promised(&self, voters: &[BTreeSet<NodeId>]) -> BTreeSet<NodeId> {
        let mut promised = BTreeSet::from([self.me.id]);
        let Some(net) = &self.net else { return promised };
        let would = Would { last: self.log.last() };
        let others: BTreeSet<NodeId> =
            voters.iter().flatten().copied().filter(|node| *node != self.me.id).collect();
        let mut asked = JoinSet::new();
        for other in others {
            let (net, would) = (net.clone(), would.clone());
            asked.spawn(async move { (other, net.call(other, &would, ASKING).await) });
        }
        while let Some(answered) = asked.join_next().await {
            if let Ok((other, Ok(true))) = answered {
                promised.insert(other);
            }
            if is_majority(voters, &promised) {
                break;
            }
        }
        promised
    }
}

/// Whether these are a majority, of both sets where the voters are being changed.
fn is_majority(voters: &[BTreeSet<NodeId>], of: &BTreeSet<NodeId>) -> bool {
    voters.iter().all(|config| 2 * config.intersection(of).count() > config.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_of_each_set_counts() {
        let ids = |ids: &[u64]| ids.iter().copied().map(NodeId).collect::<BTreeSet<_>>();
        assert!(is_majority(&[ids(&[1])], &ids(&[1])));
        assert!(!is_majority(&[ids(&[1, 2])], &ids(&[1])));
        assert!(is_majority(&[ids(&[1, 2, 3])], &ids(&[1, 3])));
        assert!(!is_majority(&[ids(&[1, 2, 3, 4])], &ids(&[1, 3])));
        assert!(!is_majority(&[ids(&[1, 2, 3]), ids(&[1, 4, 5])], &ids(&[1, 3])));
        assert!(is_majority(&[ids(&[1, 2, 3]), ids(&[1, 4, 5])], &ids(&[1, 3, 4])));
    }
}
