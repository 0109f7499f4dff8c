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
