//! One replica: what it becomes by a configuration, and what it makes of entries, as `partition::replication` does it.

use crate::{
    configuration::{Configuration, NODES, Place},
    log::Log,
    scope::Scope,
    variants::Variant,
};

/// A replica, under the configuration that its node knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    pub(crate) configuration: Configuration,
    pub(crate) join: u8,
    pub(crate) log: Log,
    pub(crate) committed: u8,
    pub(crate) role: Role,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Outside,
    Learner { follower: Follower, is_complete: bool },
    Backup(Follower),
    Primary(Tenure),
}

/// What a replica knows of its primary's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Follower {
    /// Up to here the log is the primary's.
    pub(crate) matched: u8,
    /// Up to here entries are committed.
    pub(crate) told: u8,
}

/// One replica's time as a primary.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tenure {
    /// The epoch in which it began.
    pub(crate) began: u8,
    pub(crate) phase: Phase,
    pub(crate) peers: [Option<Peer>; NODES],
    /// Whether it has had its leases, and has not released them since: nothing is read before.
    pub(crate) has_begun: bool,
    /// Whether the control group has granted it a lease.
    pub(crate) control_lease: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// It commits what it brought along, up to here.
    TakingOver {
        upto: u8,
    },
    Serving,
    /// It has released its lease and proposed; so many copies may take effect yet.
    HandingOver {
        open: u8,
    },
}

/// Another replica, as the primary sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer {
    pub(crate) standing: Standing,
    pub(crate) acked: u8,
    /// The lease that it granted, while it lasts.
    pub(crate) lease: Option<Lease>,
}

/// A lease. When it runs out is left open, but for what is certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    /// Nodes other than the grantor that have granted one later: theirs do not run out before this one does.
    pub(crate) outlasted_by: [bool; NODES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    InSync,
    Filling,
    /// It has everything. It is not to be admitted before it was heard in this epoch.
    Filled {
        is_heard: bool,
    },
    /// Its admission is proposed; so many copies may take effect yet.
    Proposed {
        open: u8,
    },
}

impl Replica {
    /// A replica that starts: it has nothing.
    pub(crate) fn empty(node: usize, configuration: Configuration) -> Self {
        let role = Role::Outside;
        let join = configuration.joins[node];
        Replica { configuration, join, log: Log::default(), committed: 0, role }
    }

    /// A replica of a partition that never held anything.
    pub(crate) fn founded(node: usize, configuration: Configuration) -> Self {
        let mut replica = Replica::empty(node, configuration);
        if configuration.places[node] == Place::InSync {
            replica.role = Role::Backup(Follower::new(0));
        }
        replica.assume(node, false);
        replica
    }

    pub(crate) fn tenure(&self) -> Option<&Tenure> {
        match &self.role {
            Role::Primary(tenure) => Some(tenure),
            _ => None,
        }
    }

    pub(crate) fn tenure_mut(&mut self) -> Option<&mut Tenure> {
        match &mut self.role {
            Role::Primary(tenure) => Some(tenure),
            _ => None,
        }
    }

    /// Takes a later configuration. The same primary goes on where this is the very next one; after a gap nothing learned
    /// before counts.
    pub(crate) fn configure(&mut self, node: usize, next: Configuration) {
        let before = self.configuration;
        if next.places[node] != Place::Nothing && next.joins[node] != self.join {
            *self = Replica::empty(node, next);
            return self.assume(node, false);
        }
        let goes_on = next.epoch == before.epoch + 1 && next.primary == before.primary;
        let stays = goes_on && next.is_primary(node) && next.places[node] == Place::InSync;
        if matches!(self.role, Role::Primary(_)) && !stays {
            self.role = Role::Backup(Follower::new(self.committed));
        }
        self.configuration = next;
        self.assume(node, goes_on);
    }

    fn assume(&mut self, node: usize, goes_on: bool) {
        let place = self.configuration.places[node];
        let leads = place == Place::InSync && self.configuration.is_primary(node);
        let role = match std::mem::replace(&mut self.role, Role::Outside) {
            Role::Learner { follower, is_complete: true } if place != Place::Learner => {
                Role::Backup(follower)
            }
            role => role,
        };
        let committed = self.committed;
        self.role = match (place, role) {
            (Place::InSync, Role::Primary(mut tenure)) => {
                tenure.reconfigure(&self.configuration, node, committed);
                Role::Primary(tenure)
            }
            (Place::InSync, Role::Backup(_)) if leads => {
                Role::Primary(Tenure::begin(&self.configuration, node, &self.log, committed))
            }
            (Place::InSync | Place::Eligible, Role::Backup(follower)) => {
                Role::Backup(follower.reconfigured(goes_on, committed))
            }
            (Place::Learner, Role::Learner { follower, is_complete }) => {
                Role::Learner { follower: follower.reconfigured(goes_on, committed), is_complete }
            }
            (Place::Learner, _) => Role::Learner { follower: Follower::new(0), is_complete: false },
            // What is not filled must not count as filled, and no replica is ever taken in again.
            _ => Role::Outside,
        };
        if self.role == Role::Outside {
            (self.log, self.committed) = (Log::default(), 0);
        }
    }

    /// Takes the primary's log, which is committed up to `committed`; how far it is the primary's now. None if nothing
    /// is to be told.
    pub(crate) fn prepare(&mut self, log: &Log, committed: u8) -> Option<u8> {
        let (Role::Backup(mut follower) | Role::Learner { mut follower, .. }) = self.role else {
            return None;
        };
        for (at, epoch) in (0..).zip(log.entries()) {
            if at >= self.committed && self.log.entries().get(usize::from(at)) != Some(epoch) {
                self.log = self.log.prefix(at);
                self.log.push(*epoch);
            }
        }
        follower.matched = follower.matched.max(log.len());
        follower.told = follower.told.max(committed);
        self.committed = self.committed.max(follower.told.min(follower.matched));
        self.role = match self.role {
            Role::Learner { .. } => Role::Learner { follower, is_complete: true },
            _ => Role::Backup(follower),
        };
        Some(follower.matched)
    }

    /// Whether the primary's log tells a follower anything.
    pub(crate) fn is_news(&self, follower: &Follower, log: &Log, committed: u8) -> bool {
        log.len() > follower.matched || committed > follower.told || !log.is_prefix_of(&self.log)
    }

    /// Takes an acknowledgement, if this is a primary. Whoever is being filled has been, then.
    pub(crate) fn acknowledge(&mut self, from: usize, upto: u8) {
        let end = self.log.len();
        let Some(peer) = self.tenure_mut().and_then(|tenure| tenure.peers[from].as_mut()) else { return };
        if upto <= end {
            peer.acked = peer.acked.max(upto);
            if peer.standing == Standing::Filling {
                peer.standing = Standing::Filled { is_heard: true };
            }
        }
    }

    /// Commits what every replica has that a commit needs, and serves when all that it brought along is committed.
    pub(crate) fn advance(&mut self, waits: bool, scope: &Scope, variant: Option<Variant>) {
        let (end, committed) = (self.log.len(), self.committed);
        let in_sync = self.configuration.count(Place::InSync);
        let Some(tenure) = self.tenure_mut() else { return };
        let taking_over = matches!(tenure.phase, Phase::TakingOver { .. });
        let is_bound = taking_over && waits && variant != Some(Variant::TakesOverAtOnce);
        let may_commit = !is_bound || variant == Some(Variant::CommitsTailAtOnce);
        let mut point = committed;
        if may_commit && in_sync >= scope.min_in_sync {
            point = point.max(tenure.commit_point(end, variant));
        }
        if let Phase::TakingOver { upto } = tenure.phase
            && !is_bound
            && (point >= upto || variant == Some(Variant::ServesBeforeTail))
        {
            tenure.phase = Phase::Serving;
        }
        self.committed = point;
    }

    /// Whether it may be read, and takes writes: it has all the leases that this needs.
    pub(crate) fn serves(&self, variant: Option<Variant>) -> bool {
        let Some(tenure) = self.tenure() else { return false };
        let is_open = match tenure.phase {
            Phase::Serving => true,
            Phase::TakingOver { .. } => false,
            Phase::HandingOver { .. } => variant == Some(Variant::HandsOverWithLease),
        };
        let is_alone = self.configuration.count(Place::InSync) == 1;
        let needs_control = is_alone && variant != Some(Variant::ServesAloneWithoutLease);
        let needed = |peer: &&Peer| match peer.standing {
            Standing::InSync => true,
            Standing::Proposed { .. } => variant != Some(Variant::AdmitsWithoutLease),
            Standing::Filling | Standing::Filled { .. } => false,
        };
        let mut peers = tenure.peers.iter().flatten().filter(needed);
        is_open && (!needs_control || tenure.control_lease) && peers.all(|peer| peer.lease.is_some())
    }
}

impl Follower {
    /// In an epoch of which nothing has been heard: what is committed is the primary's too.
    pub(crate) fn new(committed: u8) -> Self {
        Follower { matched: committed, told: committed }
    }

    fn reconfigured(self, goes_on: bool, committed: u8) -> Self {
        Follower { matched: if goes_on { self.matched } else { committed }, told: self.told }
    }
}

impl Tenure {
    fn begin(configuration: &Configuration, node: usize, log: &Log, committed: u8) -> Self {
        let peers = std::array::from_fn(|other| Peer::new(configuration, node, other, committed));
        let phase = Phase::TakingOver { upto: log.len() };
        Tenure { began: configuration.epoch, phase, peers, has_begun: false, control_lease: false }
    }

    /// The next configuration of the same tenure: what is known of replicas that stay holds on.
    fn reconfigure(&mut self, configuration: &Configuration, node: usize, committed: u8) {
        if let Phase::HandingOver { .. } = self.phase {
            self.phase = Phase::Serving;
        }
        for other in 0..NODES {
            let next = Peer::new(configuration, node, other, committed);
            self.peers[other] = match (next, self.peers[other]) {
                (Some(next), Some(before)) => {
                    let standing = match (next.standing, before.standing) {
                        (Standing::InSync, _) => Standing::InSync,
                        (_, Standing::Filling) => Standing::Filling,
                        // Whatever was proposed in an epoch before cannot take effect any more.
                        _ => Standing::Filled { is_heard: false },
                    };
                    Some(Peer { standing, ..before })
                }
                (next, _) => next,
            };
        }
    }

    fn commit_point(&self, end: u8, variant: Option<Variant>) -> u8 {
        let needed = |peer: &&Peer| match peer.standing {
            Standing::InSync => true,
            Standing::Proposed { .. } => variant != Some(Variant::AdmitsWithoutAcks),
            Standing::Filling | Standing::Filled { .. } => false,
        };
        let acked = self.peers.iter().flatten().filter(needed).map(|peer| peer.acked);
        match variant {
            Some(Variant::CommitsWithoutAll) => acked.max().unwrap_or(end),
            _ => acked.fold(end, u8::min),
        }
    }

    pub(crate) fn is_one_joining(&self) -> bool {
        self.peers.iter().flatten().any(|peer| matches!(peer.standing, Standing::Proposed { .. }))
    }
}

impl Peer {
    fn new(configuration: &Configuration, node: usize, other: usize, committed: u8) -> Option<Self> {
        let (standing, acked) = match configuration.places[other] {
            _ if other == node => return None,
            Place::Nothing => return None,
            Place::InSync => (Standing::InSync, committed),
            Place::Eligible => (Standing::Filled { is_heard: false }, committed),
            Place::Learner => (Standing::Filling, 0),
        };
        Some(Peer { standing, acked, lease: None })
    }
}
