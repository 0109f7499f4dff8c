//! How nodes that belong to no cluster found one, see [`birth`](super::birth).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use openraft::BasicNode;
use serde::{Deserialize, Serialize};

use super::{
    birth::{Plan, plan},
    disk::{Batch, Fact, blocking},
    folder::random,
    group::{Group, failed},
    handle::{Options, Started},
    opened::broken,
    proposal::Outcome,
    start::Search,
};
use crate::{
    catalog::{Command, Founding, Node, Response},
    net::{Call, Net},
    types::{Error, NodeId, Result},
};

/// How long another node may take to answer a short question.
const ANSWERING: Duration = Duration::from_secs(2);
/// So many looks in a row a node lets one of a lower id go first.
const FOLLOWS: u32 = 15;
/// After so many looks without a sight of it, a node counts no longer on the one that was to found the cluster: it is
/// gone, and with it what it may have founded; or its cluster will be told apart by its id.
const LOST_LOOKS: u32 = 150;

/// Asks a node to count on the caller, which wants to found a cluster; it answers with what it is to be called there.
#[derive(Serialize, Deserialize)]
struct Count {
    round: u64,
}

/// A node that counts on another, and its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Counted {
    node: Node,
    start: u64,
}

impl Call for Count {
    const NAME: &'static str = "control.count";
    type Answer = Option<Counted>;
}

/// Asks whether the one that is asked reckons with others in an attempt of its to found a cluster.
#[derive(Serialize, Deserialize)]
struct Reckon {
    round: u64,
}

impl Call for Reckon {
    const NAME: &'static str = "control.reckon";
    type Answer = bool;
}

/// Answers what nodes without a cluster ask of each other, from now on.
pub(super) fn answer(group: &Arc<Group>, net: &Net) {
    group.answer(net, async |group, from, Count { round }| {
        if group.cluster() != 0 || !group.birth.lock().count_on(from.node, round) {
            return Ok(None);
        }
        Ok(Some(Counted { node: group.me.clone(), start: group.start }))
    });
    group.answer(net, async |group, _, Reckon { round }| Ok(group.birth.lock().reckons(round)));
}

impl Group {
    /// Looks whether to found a cluster.
    pub(super) async fn look_for_birth(
        &self,
        options: &Options,
        search: &mut Search,
    ) -> Result<Option<Started>> {
        let expected = match options.expect {
            Some(1) => return self.found_alone(options, search).await,
            None if !options.has_seeds => return self.found_alone(options, search).await,
            None => {
                search.waits_for = "a node of a cluster: none is found at the seeds".to_owned();
                return self.check_whom_it_counts_on(search).await;
            }
            Some(expected) => usize::try_from(expected).unwrap_or(usize::MAX),
        };
        if self.birth.lock().counts_on().is_some() {
            return self.check_whom_it_counts_on(search).await;
        }
        let seen = self.seen();
        let others = match plan(self.me.id, expected, seen.keys().copied()) {
            Plan::Ask(others) => others,
            Plan::Wait(missing) => {
                let nodes = if missing == 1 { "node" } else { "nodes" };
                search.waits_for = format!("{missing} more {nodes} to found a cluster of {expected}");
                return Ok(None);
            }
            Plan::Follow(first) => {
                search.waits_for = format!("node {first} to found a cluster of {expected}");
                search.followed += u32::from(search.is_timed);
                if search.followed < FOLLOWS {
                    return Ok(None);
                }
                search.followed = 0;
                seen.into_keys().collect()
            }
        };
        let counted = self.ask_to_count(&others).await;
        if counted.len() + 1 < expected || !self.birth.lock().found() {
            self.birth.lock().give_up();
            search.waits_for = format!("{} nodes that found a cluster with this one", expected - 1);
            return Ok(None);
        }
        self.found(options, counted).await.map(Some)
    }

    async fn found_alone(&self, options: &Options, search: &mut Search) -> Result<Option<Started>> {
        let is_free = self.birth.lock().found_alone();
        match is_free {
            true => self.found(options, Vec::new()).await.map(Some),
            false => self.check_whom_it_counts_on(search).await,
        }
    }

    /// Asks others to count on this node; those that do.
    async fn ask_to_count(&self, others: &[NodeId]) -> Vec<Counted> {
        let (Some(round), Some(net)) = (self.birth.lock().ask(), &self.net) else { return Vec::new() };
        let mut counted = Vec::new();
        for other in others {
            match net.call(*other, &Count { round }, ANSWERING).await {
                Ok(Some(answer)) if answer.node.id == *other => counted.push(answer),
                _ => {}
            }
        }
        counted
    }

    /// Counts no longer on a node that has given up, or is gone.
    async fn check_whom_it_counts_on(&self, search: &mut Search) -> Result<Option<Started>> {
        let (Some((on, round)), Some(net)) = (self.birth.lock().counts_on(), &self.net) else {
            return Ok(None);
        };
        search.waits_for = format!("node {on}, which founds the cluster");
        if self.seen().contains_key(&on) {
            search.unseen = 0;
            if net.call(on, &Reckon { round }, ANSWERING).await == Ok(false) {
                self.birth.lock().release(on, round);
            }
        } else {
            search.unseen += u32::from(search.is_timed);
            if search.unseen > LOST_LOOKS {
                search.unseen = 0;
                self.birth.lock().release(on, round);
            }
        }
        Ok(None)
    }

    /// Founds a cluster. Whatever interrupts it, nobody but this node knows of it before it is founded.
    pub(super) async fn found(&self, options: &Options, others: Vec<Counted>) -> Result<Started> {
        let cluster = random();
        self.settle(cluster);
        let voters = BTreeMap::from([(self.me.id.0, BasicNode::new(&self.me.peer_address))]);
        self.raft.initialize(voters).await.map_err(failed)?;
        self.lead().await?;
        let named = others.iter().map(|other| (other.node.id, other.start)).collect();
        self.name(named).await?;
        let founding = Founding {
            cluster,
            partition_count: options.partition_count,
            backup_count: options.backup_count,
            min_in_sync: options.min_in_sync,
            node: self.me.clone(),
            others: others.into_iter().map(|other| other.node).collect(),
        };
        let started = match self.decide(Command::Found(founding)).await {
            Outcome::Applied { response: Ok(Response::Started { incarnation, new_generation }), .. } => {
                Started { node: self.me.id, incarnation, new_generation }
            }
            Outcome::Applied { response: Err(error), .. }
            | Outcome::Refused(error)
            | Outcome::Elsewhere(_, error)
            | Outcome::Unknown(error) => return Err(error),
            Outcome::Applied { .. } => return Err(Error::internal("the cluster was not founded")),
        };
        tracing::info!("the cluster {cluster:016x} is founded");
        if let Some(net) = &self.net {
            net.introduce(started.incarnation, cluster);
        }
        Ok(started)
    }

    /// Remembers which starts are recorded with the founding, even if this node restarts before the others have heard of
    /// it.
    async fn name(&self, named: BTreeMap<NodeId, u64>) -> Result<()> {
        let kept = named.clone();
        let written =
            blocking(&self.disk, move |disk| disk.write(&Batch::default().fact(Fact::Named, &kept)?)).await;
        written.map_err(|fault| broken(fault, self.disk.file().as_deref()))?;
        *self.named.lock() = named;
        Ok(())
    }
}
