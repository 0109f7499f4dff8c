//! How a start of a node is recorded: it asks the leader.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use openraft::BasicNode;
use serde::{Deserialize, Serialize};

use super::{
    group::{Group, failed},
    proposal::Outcome,
};
use crate::{
    catalog::{Command, Node, Response},
    net::{Call, Net},
    types::{Class, Error, Incarnation, NodeId, Result},
};

/// How long the leader may take: it has an entry of the log decided for the new member, and one for the start.
pub(super) const JOINING: Duration = Duration::from_secs(12);

/// Asks for a start to be recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Join {
    pub(super) node: Node,
    /// Tells this start from others.
    pub(super) start: u64,
    /// The last start that the node knows of, zero for none: the one recorded follows it, or nothing is recorded. So a
    /// request that comes late does no harm.
    pub(super) after: Incarnation,
}

/// What became of the request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Joined {
    /// It is recorded, by the entry at `index`.
    Recorded { incarnation: Incarnation, new_generation: bool, index: u64 },
    /// The node is at a later start than it knows of.
    At(Incarnation),
    /// The node that was asked does not lead. Here are those that it knows.
    Elsewhere { leader: Option<NodeId>, known: BTreeMap<NodeId, String> },
}

impl Call for Join {
    const NAME: &'static str = "control.join";
    type Answer = Joined;
}

/// Answers nodes that start from now on.
pub(super) fn answer(group: &Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, join: Join| {
        // Whoever asks to join may not have said yet that it does.
        if from.cluster != 0 || group.cluster() == 0 {
            group.belongs(from)?;
        }
        if join.node.id != from.node {
            return Err(Error::invalid(format!("node {} cannot start node {}", from.node, join.node.id)));
        }
        group.record(join).await
    });
}

impl Group {
    /// Records the start of a node, as the leader.
    pub(super) async fn record(&self, join: Join) -> Result<Joined> {
        if !self.leads() {
            return Ok(Joined::Elsewhere { leader: self.leader(), known: self.addresses() });
        }
        // A node that the log is replicated to and that is no member is forgotten again: not while it becomes one.
        let _one_at_a_time = self.membership.lock().await;
        let catalogue = self.confirmed().await?;
        if !catalogue.is_founded() {
            return Err(Error::unavailable("the cluster is being founded"));
        }
        self.add_learner(&join.node).await?;
        let last = catalogue.member(join.node.id).map_or(Incarnation(0), |member| member.incarnation);
        if last == Incarnation(1) && self.named.lock().get(&join.node.id) == Some(&join.start) {
            let index = self.raft.metrics().borrow().last_applied.map_or(0, |applied| applied.index);
            return Ok(Joined::Recorded { incarnation: last, new_generation: false, index });
        }
        if last != join.after {
            return Ok(Joined::At(last));
        }
        let id = join.node.id;
        let command = Command::StartNode { node: join.node, after: Some(join.after) };
        match self.decide(command).await {
            Outcome::Applied { index, response: Ok(Response::Started { incarnation, new_generation }) } => {
                Ok(Joined::Recorded { incarnation, new_generation, index })
            }
            Outcome::Applied { response: Err(error), .. } if error.class == Class::Conflict => {
                // Another request of the node was faster, or the cluster is full.
                match self.catalogue().member(id).map(|member| member.incarnation) {
                    Some(at) if at != join.after => Ok(Joined::At(at)),
                    _ => Err(error),
                }
            }
            Outcome::Applied { response: Err(error), .. }
            | Outcome::Refused(error)
            | Outcome::Elsewhere(_, error)
            | Outcome::Unknown(error) => Err(error),
            Outcome::Applied { .. } => Err(Error::internal("the start of the node was not recorded")),
        }
    }

    /// Has the log replicated to a node, if it is not yet.
    async fn add_learner(&self, node: &Node) -> Result<()> {
        let id = node.id.0;
        let known = self
            .raft
            .with_raft_state(move |state| state.membership_state.effective().get_node(&id).is_some());
        if known.await.map_err(failed)? {
            return Ok(());
        }
        let added = self.raft.add_learner(node.id.0, BasicNode::new(&node.peer_address), false);
        match tokio::time::timeout(JOINING, added).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::unavailable(format!("the node could not be added: {error}"))),
            Err(_) => Err(Error::deadline("a quorum of the control group has not answered in time")),
        }
    }
}
