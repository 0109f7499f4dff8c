//! Who leads the control group.

use openraft::ServerState;
use tokio::sync::watch;

use super::raft::Metrics;
use crate::types::NodeId;

/// Who leads the control group, as this node sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The leader; none while there is an election, or none is known.
    pub leader: Option<NodeId>,
    /// This node leads. Another may have been elected meanwhile: ask for the confirmation of a quorum where it matters.
    pub is_me: bool,
    /// Rises with every election.
    pub term: u64,
}

impl Leadership {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let leader = metrics.current_leader.map(NodeId);
        let is_me = metrics.state == ServerState::Leader && leader == Some(NodeId(metrics.id));
        Leadership { leader, is_me, term: metrics.current_term }
    }
}

/// Returns when another node than `node` has been elected in a later term than `term`.
pub(super) async fn supplanted(mut leadership: watch::Receiver<Leadership>, node: NodeId, term: u64) {
    let is_other = |now: &Leadership| now.term > term && now.leader.is_some_and(|leader| leader != node);
    if leadership.wait_for(is_other).await.is_err() {
        // Nobody will tell.
        std::future::pending().await
    }
}

/// Publishes every change of the leadership, until the group has ended.
pub(super) async fn follow(mut metrics: watch::Receiver<Metrics>, shown: watch::Sender<Leadership>) {
    loop {
        let latest = Leadership::of(&metrics.borrow_and_update());
        shown.send_if_modified(|shown| std::mem::replace(shown, latest) != latest);
        if metrics.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_leader_is_supplanted_by_another_in_a_later_term() {
        let led = |leader: Option<u64>, term| Leadership { leader: leader.map(NodeId), is_me: false, term };
        let (shown, watching) = watch::channel(led(Some(1), 4));
        let waiting = tokio::spawn(supplanted(watching.clone(), NodeId(1), 4));
        // Who is asked may know of its election before this node does.
        let waiting_for_next = tokio::spawn(supplanted(watching, NodeId(2), 4));
        for (leader, term) in [(None, 5), (None, 6)] {
            shown.send_replace(led(leader, term));
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
        }
        shown.send_replace(led(Some(2), 6));
        waiting.await.expect("no panic");
        assert!(!waiting_for_next.is_finished());
        shown.send_replace(led(Some(3), 7));
        waiting_for_next.await.expect("no panic");
    }
}
