//! How a node takes its place in a control group: it founds one, joins one, or takes up the one it belongs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    time::Duration,
};

use tokio::time::{Sleep, sleep, timeout};

use super::{
    group::{Group, failed},
    handle::{Options, Started},
    join::{JOINING, Join, Joined},
};
use crate::{
    net::Net,
    types::{Error, Incarnation, NodeId, Result},
};

/// Between two looks around, if nothing new is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a sole voter may take to lead. It needs no vote but its own: more means that the disk hangs.
pub(super) const LEADING: Duration = Duration::from_secs(30);
/// How long the log may take to come, before it is said that it does not.
const CATCHING_UP: Duration = Duration::from_secs(10);
/// When it is first said what is waited for, and how often again.
const SAY_AFTER: Duration = Duration::from_secs(3);
const SAY_EVERY: Duration = Duration::from_secs(60);
/// What a node has learned on its way in.
#[derive(Default)]
pub(super) struct Search {
    after: Incarnation,
    leader: Option<NodeId>,
    /// Whom to ask next, if no leader is known.
    turn: usize,
    /// This look comes as time has passed, and not because something has happened.
    pub(super) is_timed: bool,
    /// At how many timed looks it has let another go first.
    pub(super) followed: u32,
    /// At how many timed looks the one that it counts on was out of sight.
    pub(super) unseen: u32,
    pub(super) waits_for: String,
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
        let mut search = Search { after: self.last_start(), ..Search::default() };
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
            search.is_timed = false;
            tokio::select! {
                () = sleep(LOOK_EVERY) => search.is_timed = true,
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
    pub(super) async fn lead(&self) -> Result<()> {
        let mut leadership = self.leadership.clone();
        let leads = timeout(LEADING, leadership.wait_for(|leadership| leadership.is_me)).await;
        leads.map_err(|_| failed("a sole voter does not lead"))?.map(drop).map_err(failed)?;
        // A leader that restarted may not have applied yet what it had acknowledged.
        self.confirmed().await.map(drop)
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
