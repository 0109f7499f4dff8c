//! How a node takes its place in a control group: it founds one, joins one, or takes up the one it belongs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use openraft::BasicNode;
use serde::{Deserialize, Serialize};
use tokio::time::{Sleep, sleep, timeout};

use super::{
    birth::{Plan, plan},
    control::{Options, Started},
    disk::{Batch, Fact, blocking},
    folder::random,
    group::{Group, failed},
    join::{JOINING, Join, Joined},
    opened::broken,
    proposal::Outcome,
};
use crate::{
    catalog::{Command, Founding, Node, Response},
    net::{Call, Net},
    types::{Error, Incarnation, NodeId, Result},
};

/// Between two looks around, if nothing new is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a sole voter may take to lead. It needs no vote but its own: more means that the disk hangs.
pub(super) const LEADING: Duration = Duration::from_secs(30);
/// How long another node may take to answer a short question.
const ANSWERING: Duration = Duration::from_secs(2);
/// How long the log may take to come, before it is said that it does not.
const CATCHING_UP: Duration = Duration::from_secs(10);
/// When it is first said what is waited for, and how often again.
const SAY_AFTER: Duration = Duration::from_secs(3);
const SAY_EVERY: Duration = Duration::from_secs(60);
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
struct Counted {
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

/// What a node has learned on its way in.
struct Search {
    after: Incarnation,
    leader: Option<NodeId>,
    /// Whom to ask next, if no leader is known.
    turn: usize,
    followed: u32,
    unseen: u32,
    waits_for: String,
}

impl Group {
    /// Returns once this start is recorded, and applied here.
    pub(super) async fn enter(&self, options: &Options, is_founded: bool) -> Result<Started> {
        if self.net.is_none() {
            return self.enter_alone(options, is_founded).await;
        }
        if is_founded && self.is_sole_voter().await {
            self.elect_itself().await?;
        }
        let mut search = Search {
            after: self.last_start(),
            leader: None,
            turn: 0,
            followed: 0,
            unseen: 0,
            waits_for: String::new(),
        };
        let mut reminder = Reminder::new();
        let mut leadership = self.leadership.clone();
        let mut seen = self.net.as_ref().map(Net::seen);
        loop {
            if let Some(started) = self.look(options, &mut search).await? {
                return Ok(started);
            }
            let met = async {
                match &mut seen {
                    Some(seen) => drop(seen.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = met => sleep(LOOK_EVERY / 10).await,
                Ok(()) = leadership.changed() => {}
                () = reminder.due() => tracing::info!("waiting for {}", search.waits_for),
            }
            if self.raft.metrics().borrow().running_state.is_err() {
                return Err(failed("its log cannot be used"));
            }
        }
    }

    /// One look around; the start, once it is recorded.
    async fn look(&self, options: &Options, search: &mut Search) -> Result<Option<Started>> {
        let seen = self.seen();
        if self.cluster() == 0 {
            match seen.values().find(|cluster| **cluster != 0) {
                Some(cluster) => self.choose(*cluster),
                None => return self.look_for_birth(options, search).await,
            }
        }
        self.dial(BTreeMap::new());
        let cluster = self.cluster();
        let fellows: Vec<NodeId> =
            seen.iter().filter(|(_, of)| **of == cluster).map(|(node, _)| *node).collect();
        let asked = if self.leads() {
            self.record(self.join(search.after)).await
        } else {
            let known = search.leader.take().or_else(|| self.leader()).filter(|node| fellows.contains(node));
            search.turn = search.turn.wrapping_add(1);
            let next = fellows.get(search.turn % fellows.len().max(1)).copied();
            let (Some(to), Some(net)) = (known.or(next), &self.net) else {
                search.waits_for = format!("a node of the cluster {cluster:016x}");
                return Ok(None);
            };
            net.call(to, &self.join(search.after), JOINING).await
        };
        match asked {
            Ok(Joined::Recorded { incarnation, new_generation, index }) => {
                self.catch_up(index).await?;
                Ok(Some(Started { node: self.me.id, incarnation, new_generation }))
            }
            Ok(Joined::At(incarnation)) => {
                search.after = incarnation;
                Box::pin(self.look(options, search)).await
            }
            Ok(Joined::Elsewhere { leader, known }) => {
                search.waits_for = "a leader of the control group".to_owned();
                search.leader = leader;
                self.dial(known);
                Ok(None)
            }
            Err(error) => {
                search.waits_for = format!("the control group: {error}");
                Ok(None)
            }
        }
    }

    fn join(&self, after: Incarnation) -> Join {
        Join { node: self.me.clone(), start: self.start, after }
    }

    /// The last start of this node that its catalogue tells of.
    fn last_start(&self) -> Incarnation {
        self.catalogue().member(self.me.id).map_or(Incarnation(0), |member| member.incarnation)
    }

    /// Belongs to a cluster from now on: others of it must know before they let anything into the log.
    fn choose(&self, cluster: u64) {
        if self.settle(cluster)
            && let Some(net) = &self.net
        {
            net.introduce(Incarnation(0), cluster);
        }
    }

    /// Waits for the entry that recorded this start.
    async fn catch_up(&self, index: u64) -> Result<()> {
        while self.wait_applied(index, CATCHING_UP).await.is_err() {
            if let Err(fatal) = &self.raft.metrics().borrow().running_state {
                return Err(failed(fatal));
            }
            tracing::info!("waiting for the log of the control group");
        }
        Ok(())
    }

    /// A node without a network: the sole voter of its group.
    async fn enter_alone(&self, options: &Options, is_founded: bool) -> Result<Started> {
        if !is_founded {
            return self.found(options, Vec::new()).await;
        }
        if !self.is_sole_voter().await {
            return Err(Error::invalid("the data folder is that of a node in a cluster of several").hint(
                "give it the cluster's secret: EMBERGRID_CLUSTER_SECRET or EMBERGRID_CLUSTER_SECRET_FILE",
            ));
        }
        self.elect_itself().await?;
        match self.record(self.join(self.last_start())).await? {
            Joined::Recorded { incarnation, new_generation, .. } => {
                Ok(Started { node: self.me.id, incarnation, new_generation })
            }
            Joined::At(_) | Joined::Elsewhere { .. } => {
                Err(Error::internal("the start of the node was not recorded"))
            }
        }
    }

    /// Whether nobody else votes.
    async fn is_sole_voter(&self) -> bool {
        let (voters, _) = self.voters_and_nodes().await;
        let alone = BTreeSet::from([self.me.id]);
        !voters.is_empty() && voters.iter().all(|config| *config == alone)
    }

    /// A sole voter need not wait for an election.
    async fn elect_itself(&self) -> Result<()> {
        if !self.leads() {
            self.raft.trigger().elect().await.map_err(failed)?;
        }
        self.lead().await
    }

    /// Returns once this node, the sole voter, leads: it waits for nobody's vote.
    async fn lead(&self) -> Result<()> {
        let mut leadership = self.leadership.clone();
        let leads = timeout(LEADING, leadership.wait_for(|leadership| leadership.is_me)).await;
        leads.map_err(|_| failed("a sole voter does not lead"))?.map(drop).map_err(failed)?;
        // A leader that restarted may not have applied yet what it had acknowledged.
        self.confirmed().await.map(drop)
    }

    /// Looks whether to found a cluster.
    async fn look_for_birth(&self, options: &Options, search: &mut Search) -> Result<Option<Started>> {
        let expected = match options.expect {
            Some(1) => return self.found_alone(options).await,
            None if !options.has_seeds => return self.found_alone(options).await,
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
                search.followed += 1;
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

    async fn found_alone(&self, options: &Options) -> Result<Option<Started>> {
        let is_free = self.birth.lock().found_alone();
        if is_free { self.found(options, Vec::new()).await.map(Some) } else { Ok(None) }
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
            search.unseen += 1;
            if search.unseen > LOST_LOOKS {
                search.unseen = 0;
                self.birth.lock().release(on, round);
            }
        }
        Ok(None)
    }

    /// Founds a cluster. Whatever interrupts it, nobody but this node knows of it before it is founded.
    async fn found(&self, options: &Options, others: Vec<Counted>) -> Result<Started> {
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
}

impl Group {
    /// Remembers which starts are recorded with the founding, even if this node restarts before the others have heard of
    /// it.
    async fn name(&self, named: BTreeMap<NodeId, u64>) -> Result<()> {
        let kept = named.clone();
        let written =
            blocking(&self.disk, move |disk| disk.write(&Batch::default().fact(Fact::Named, &kept)?)).await;
        written.map_err(broken)?;
        *self.named.lock() = named;
        Ok(())
    }
}

/// Says what is waited for: once after a moment, then once a minute.
struct Reminder(Pin<Box<Sleep>>);

impl Reminder {
    fn new() -> Self {
        Reminder(Box::pin(sleep(SAY_AFTER)))
    }

    async fn due(&mut self) {
        self.0.as_mut().await;
        let next = self.0.deadline() + SAY_EVERY;
        self.0.as_mut().reset(next);
    }
}
