//! The state of everything, and what holds in each of its forms.

use crate::{
    configuration::{Configuration, NODES, Place},
    grid::Grid,
    log::Log,
    replica::{Peer, Phase, Replica, Role, Standing},
    variants::Variant,
};

/// All there is. What can have no effect any more is not kept, so that equal futures are equal states.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) control: Control,
    /// None while a node that crashed has not been recorded anew: it has nothing, and does nothing.
    pub(crate) nodes: [Option<Replica>; NODES],
    /// Frames that were sent. Any may arrive at any time, often or never.
    pub(crate) frames: Vec<Frame>,
    /// By node, the tenure in which a read has read less than was known when it began, and has yet to check its lease. Such
    /// a read keeps nobody from anything: it is begun as soon as it can be.
    pub(crate) stale_reads: [Option<u8>; NODES],
    /// What clients know to be committed: what was acknowledged, or could be read.
    pub(crate) seen: Log,
    pub(crate) left: Left,
}

/// What may happen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) writes: u8,
    pub(crate) faults: u8,
    pub(crate) additions: u8,
    pub(crate) appointments: u8,
}

/// The control group: one register, changed by compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Control {
    /// The present configuration, after those that a node may learn yet.
    pub(crate) configurations: Vec<Configuration>,
    pub(crate) up: [bool; NODES],
    pub(crate) proposals: Vec<Proposal>,
}

/// A change that a primary asked for. It may take effect at any time in its epoch, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Proposal {
    pub(crate) epoch: u8,
    pub(crate) by: usize,
    pub(crate) step: Step,
    /// How many times it was made, less those that came to their end.
    pub(crate) copies: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    Admit(usize),
    HandOver(usize),
}

/// What one replica tells others. It counts in its own epoch alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Frame {
    pub(crate) epoch: u8,
    pub(crate) body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Body {
    /// From the primary, to whoever holds the partition.
    Prepare { from: usize, log: Log, committed: u8 },
    /// To the primary.
    Prepared { from: usize, to: usize, upto: u8 },
}

impl Control {
    pub(crate) fn present(&self) -> &Configuration {
        self.configurations.last().expect("there is always one")
    }

    pub(crate) fn is_primary_up(&self) -> bool {
        let present = self.present();
        present.primary.is_some_and(|primary| self.up[usize::from(primary)] && !present.is_bereft())
    }
}

impl State {
    /// Everybody knows the first configuration.
    pub(crate) fn first(grid: &Grid) -> Self {
        let scope = &grid.scope;
        let first = Configuration::first(scope);
        let left = Left {
            writes: scope.writes,
            faults: scope.faults,
            additions: scope.additions,
            appointments: scope.appointments,
        };
        let mut state = State {
            control: Control { configurations: vec![first], up: [true; NODES], proposals: Vec::new() },
            nodes: std::array::from_fn(|node| Some(Replica::founded(node, first))),
            frames: Vec::new(),
            stale_reads: [None; NODES],
            seen: Log::default(),
            left,
        };
        state.settle(grid);
        state
    }

    pub(crate) fn replica(&self, node: usize) -> Option<&Replica> {
        self.nodes[node].as_ref()
    }

    pub(crate) fn serves(&self, node: usize, grid: &Grid) -> bool {
        self.replica(node).is_some_and(|replica| replica.serves(grid.variant))
    }

    /// Whether the present primary knows that it is.
    pub(crate) fn has_primary_come(&self) -> bool {
        let present = self.control.present();
        let primary = present.primary.and_then(|primary| self.replica(usize::from(primary)));
        primary
            .is_some_and(|replica| replica.configuration.epoch == present.epoch && replica.tenure().is_some())
    }

    /// Whether a replica has to wait for the end of leases that it granted to another.
    pub(crate) fn is_bound(&self, node: usize) -> bool {
        let Some(replica) = self.replica(node) else { return false };
        let tenures = self.nodes.iter().flatten().filter_map(Replica::tenure);
        let mut peers = tenures.flat_map(|tenure| (0..).zip(&tenure.peers));
        !replica.configuration.handed_over && peers.any(|(from, peer)| is_over_by(from, peer.as_ref(), node))
    }

    /// All leases run out that the node granted, and those that were to run out before.
    pub(crate) fn wait_out(&mut self, node: usize) {
        for tenure in self.nodes.iter_mut().flatten().filter_map(Replica::tenure_mut) {
            for (from, peer) in tenure.peers.iter_mut().enumerate() {
                if is_over_by(from, peer.as_ref(), node)
                    && let Some(peer) = peer
                {
                    peer.lease = None;
                }
            }
        }
    }

    /// Whether a primary has not proposed a replica yet. Then it does so only while it holds that one's lease.
    pub(crate) fn is_first_proposal(&self, node: usize, other: usize) -> bool {
        let tenure = self.replica(node).and_then(Replica::tenure);
        let peer = tenure.and_then(|tenure| tenure.peers[other]);
        peer.is_some_and(|peer| matches!(peer.standing, Standing::Filled { .. }))
    }

    /// A node has granted a lease to one that has been primary for a while: whatever that one granted before, or knew to
    /// run out before that, is over by the time that this lease is.
    pub(crate) fn outlast(&mut self, holder: usize, grantor: usize) {
        for tenure in self.nodes.iter_mut().flatten().filter_map(Replica::tenure_mut) {
            for (from, peer) in tenure.peers.iter_mut().enumerate() {
                if is_over_by(from, peer.as_ref(), holder)
                    && let Some(lease) = peer.as_mut().and_then(|peer| peer.lease.as_mut())
                {
                    lease.outlasted_by[grantor] = true;
                }
            }
        }
    }

    /// What needs no decision happens at once: grants, what a primary says of itself, commits; what has no future goes.
    pub(crate) fn settle(&mut self, grid: &Grid) {
        self.catch_up();
        self.grant();
        for node in 0..NODES {
            let waits = self.is_bound(node);
            let Some(replica) = &mut self.nodes[node] else { continue };
            replica.advance(waits, &grid.scope, grid.variant);
            let serves = replica.serves(grid.variant);
            if let Some(tenure) = replica.tenure_mut() {
                tenure.has_begun |= serves;
            }
            if let Role::Primary(_) = replica.role {
                let committed = replica.log.prefix(replica.committed);
                if self.seen.is_prefix_of(&committed) {
                    self.seen = committed;
                }
                let body = Body::Prepare { from: node, log: replica.log, committed: replica.committed };
                self.frames.push(Frame { epoch: replica.configuration.epoch, body });
            }
        }
        self.read(grid);
        self.forget(grid);
    }

    /// Whoever holds nothing and is given nothing does not care which configuration it knows, nor whether it starts anew
    /// or is heard again sooner or later.
    fn catch_up(&mut self) {
        let present = *self.control.present();
        for node in (0..NODES).filter(|node| present.places[*node] == Place::Nothing) {
            self.control.up[node] = true;
            if self.replica(node).is_none_or(|replica| replica.role == Role::Outside) {
                self.nodes[node] = Some(Replica::empty(node, present));
            }
        }
    }

    /// A grant only lets its holder serve, and its end only lets others take over: so it is given as early as it can be,
    /// and ends when somebody waits for its end.
    fn grant(&mut self) {
        let present = *self.control.present();
        for node in 0..NODES {
            let Some(Replica { configuration: mine, .. }) = self.nodes[node] else { continue };
            let grants: [bool; NODES] = std::array::from_fn(|other| {
                self.replica(other).is_some_and(|other| {
                    other.configuration.epoch == mine.epoch && other.role != Role::Outside
                })
            });
            let Some(tenure) = self.nodes[node].as_mut().and_then(Replica::tenure_mut) else { continue };
            tenure.control_lease |= present.is_sole(node);
            for (peer, grants) in tenure.peers.iter_mut().zip(grants) {
                let Some(peer) = peer else { continue };
                if grants && peer.standing != Standing::Filling {
                    peer.lease.get_or_insert_default();
                }
                if let Standing::Filled { is_heard } = &mut peer.standing {
                    *is_heard |= grants;
                }
            }
        }
    }

    /// Drops what can have no effect any more.
    fn forget(&mut self, grid: &Grid) {
        let mut frames = std::mem::take(&mut self.frames);
        frames.retain(|frame| (0..NODES).any(|node| self.may_matter(frame, node, grid)));
        frames.sort_unstable();
        frames.dedup();
        self.frames = frames;
        let epoch = self.control.present().epoch;
        let mut proposals = std::mem::take(&mut self.control.proposals);
        let waits = |proposal: &Proposal| {
            proposal.epoch == epoch
                || self.replica(proposal.by).is_some_and(|replica| replica.waits_for(proposal))
        };
        proposals.retain(|proposal| proposal.copies > 0 && waits(proposal));
        proposals.sort_unstable();
        self.control.proposals = proposals;
        let known = self.nodes.iter().flatten().map(|replica| replica.configuration.epoch).min();
        self.control
            .configurations
            .retain(|held| held.epoch == epoch || known.is_some_and(|known| held.epoch > known));
    }

    /// Reads begin that would be stale, and end with their tenure.
    fn read(&mut self, grid: &Grid) {
        for node in 0..NODES {
            let tenure = self.replica(node).and_then(Replica::tenure);
            let has_ended = match grid.variant {
                Some(Variant::ChecksAnotherTenure) => self.nodes[node].is_none(),
                _ => tenure.map(|tenure| tenure.began) != self.stale_reads[node],
            };
            let mut read = self.stale_reads[node].filter(|_| !has_ended);
            if let Some(replica) = self.replica(node)
                && let Some(tenure) = tenure
                && (tenure.has_begun || grid.variant == Some(Variant::ReadsBeforeLease))
                && replica.committed < self.seen.len()
            {
                read.get_or_insert(tenure.began);
            }
            self.stale_reads[node] = read;
        }
    }

    /// Whether a frame may change anything at a node, now or when it knows a later configuration.
    fn may_matter(&self, frame: &Frame, node: usize, grid: &Grid) -> bool {
        let Some(replica) = self.replica(node) else { return false };
        let known = replica.configuration.epoch;
        if known < frame.epoch {
            let mut held = self.control.configurations.iter();
            let then = held.find(|held| held.epoch == frame.epoch);
            let is_addressed = match frame.body {
                Body::Prepare { from, .. } => from != node,
                Body::Prepared { .. } => false,
            };
            return is_addressed && then.is_some_and(|then| then.places[node] != Place::Nothing);
        }
        self.admits(frame, node, grid) && self.matters(frame, replica, node)
    }

    /// Whether a node takes a frame: of its own epoch alone.
    fn admits(&self, frame: &Frame, node: usize, grid: &Grid) -> bool {
        self.replica(node).is_some_and(|replica| match grid.variant {
            Some(Variant::AcceptsStaleEpochs) => frame.epoch <= replica.configuration.epoch,
            _ => frame.epoch == replica.configuration.epoch,
        })
    }

    fn matters(&self, frame: &Frame, replica: &Replica, node: usize) -> bool {
        match (frame.body, &replica.role) {
            (Body::Prepare { log, committed, .. }, Role::Backup(follower)) => {
                replica.is_news(follower, &log, committed)
            }
            (Body::Prepare { log, committed, .. }, Role::Learner { follower, is_complete }) => {
                !is_complete || replica.is_news(follower, &log, committed)
            }
            (Body::Prepared { from, to, upto }, Role::Primary(tenure)) => {
                let is_news = |peer: Peer| upto > peer.acked || peer.standing == Standing::Filling;
                to == node && upto <= replica.log.len() && tenure.peers[from].is_some_and(is_news)
            }
            _ => false,
        }
    }

    /// Whether the frame can be delivered to the node now.
    pub(crate) fn is_deliverable(&self, frame: &Frame, node: usize, grid: &Grid) -> bool {
        self.admits(frame, node, grid)
            && self.replica(node).is_some_and(|replica| self.matters(frame, replica, node))
    }

    /// A node takes a frame. What it then says is sent.
    pub(crate) fn deliver(&mut self, frame: &Frame, node: usize) {
        let Some(replica) = &mut self.nodes[node] else { return };
        match frame.body {
            Body::Prepare { from, log, committed } => {
                if let Some(upto) = replica.prepare(&log, committed) {
                    let body = Body::Prepared { from: node, to: from, upto };
                    self.frames.push(Frame { epoch: replica.configuration.epoch, body });
                }
            }
            Body::Prepared { from, upto, .. } => replica.acknowledge(from, upto),
        }
    }
}

/// Whether a lease lasts that a node granted, and is over when those of the other node are.
fn is_over_by(grantor: usize, peer: Option<&Peer>, node: usize) -> bool {
    let lease = peer.and_then(|peer| peer.lease);
    lease.is_some_and(|lease| grantor == node || lease.outlasted_by[node])
}

impl Replica {
    /// Whether the end of a proposal's copy would still tell it something.
    fn waits_for(&self, proposal: &Proposal) -> bool {
        let Some(tenure) = self.tenure().filter(|_| self.configuration.epoch == proposal.epoch) else {
            return false;
        };
        match proposal.step {
            Step::Admit(node) => {
                tenure.peers[node].is_some_and(|peer| matches!(peer.standing, Standing::Proposed { .. }))
            }
            Step::HandOver(_) => matches!(tenure.phase, Phase::HandingOver { .. }),
        }
    }

    /// One copy of what it proposed will never take effect.
    pub(crate) fn refused(&mut self, proposal: &Proposal, variant: Option<Variant>) {
        if !self.waits_for(proposal) {
            return;
        }
        let fewer = |open: u8| if variant == Some(Variant::TrustsOneRefusal) { 0 } else { open - 1 };
        let Some(tenure) = self.tenure_mut() else { return };
        if let Step::Admit(node) = proposal.step
            && let Some(peer) = &mut tenure.peers[node]
            && let Standing::Proposed { open } = peer.standing
        {
            let open = fewer(open);
            peer.standing =
                if open == 0 { Standing::Filled { is_heard: true } } else { Standing::Proposed { open } };
        } else if let Phase::HandingOver { open } = tenure.phase {
            let open = fewer(open);
            tenure.phase = if open == 0 { Phase::Serving } else { Phase::HandingOver { open } };
        }
    }
}
