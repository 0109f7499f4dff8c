//! The machine: what happened in, what to do out.

mod catalogue;
mod commit;
mod glance;
mod job;
mod primary;
mod request;
mod rescore;
mod score;
mod time;

use std::sync::Arc;

pub(super) use primary::{Primary, Standing, Tenure};

use super::{
    Effect, Input, Limits, Log, View,
    ledger::Ledger,
    replication::{Body, Follower, Frame, Learner, Place, Role, Timing, not_primary},
    site::Site,
};
use crate::{
    catalog::Configuration,
    store::{Reader, Writer},
    types::{Epoch, JoinId, Now, PartitionId, Position, Seq},
};

/// What a core is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The partition.
    pub partition: PartitionId,
    /// Who holds it.
    pub configuration: Arc<Configuration>,
    /// Which of them this is.
    pub me: JoinId,
    /// What it may hold.
    pub limits: Limits,
    /// How long things take between replicas.
    pub timing: Timing,
    /// Decides the order of scans and nothing else.
    pub seed: u64,
}

/// One replica of one partition.
///
/// It starts empty, at catalogue version 0, and without a lease. Hand it [`Input::View`] at first and with every
/// change; [`Input::Lease`] too, which counts while the replica is the only one in sync. After what a tick brought,
/// call [`Core::flush`]; when [`Core::next_deadline`] has come, hand in [`Input::Tick`].
pub struct Core {
    pub(super) site: Site,
    pub(super) ledger: Ledger,
    pub(super) role: Role,
}

impl Core {
    /// An empty replica.
    pub fn new(setup: Setup) -> Self {
        let Setup { partition, configuration, me, limits, timing, seed } = setup;
        let Configuration { generation, epoch, .. } = *configuration;
        // Every replica of a generation begins at the same place, whenever it begins.
        let start = Position { generation, epoch: Epoch(0), seq: Seq(0) };
        let mut ledger = Ledger::new(start, Writer::new(me, epoch, seed), &limits);
        let place = Place::of(&configuration, me);
        let site = Site {
            partition,
            me,
            configuration,
            limits,
            timing,
            latest: Arc::default(),
            granted_until_us: 0,
            control_lease_us: 0,
            fenced: 0,
            now: Now::default(),
        };
        let role = match place {
            Place::Primary => Role::Primary(Box::new(Tenure::begin(&site, &mut ledger))),
            Place::Backup => Role::Backup(Follower::new(start.seq)),
            Place::Learner => Role::Learner(Learner::new()),
            Place::Outside => Role::Outside,
        };
        let mut core = Core { site, ledger, role };
        if let Some(mut primary) = core.primary() {
            // Nothing to commit and nobody to wait for: there is no effect.
            primary.take_over(&mut Vec::new());
        }
        core
    }

    /// Takes one input; appends what is to be done, in order.
    pub fn handle(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        self.site.now = now;
        let input = match input {
            Input::Frame(frame) => return self.handle_frame(frame, effects),
            Input::Configuration(configuration) => return self.configure(configuration, effects),
            Input::View(view) => {
                if view.version <= self.site.latest.version {
                    return;
                }
                self.site.latest = view.clone();
                Input::View(view)
            }
            Input::Lease { until_us } => {
                self.site.control_lease_us = until_us;
                Input::Lease { until_us }
            }
            input => input,
        };
        match self.primary() {
            Some(mut primary) => primary.handle(input, effects),
            None => self.decline(&input, effects),
        }
    }

    /// The tick is over: appends what is to be sent. To be called after [`Core::handle`], once for many inputs.
    pub fn flush(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.site.now = now;
        match &mut self.role {
            Role::Primary(tenure) => {
                Primary { site: &self.site, ledger: &mut self.ledger, tenure }.flush(effects);
            }
            Role::Backup(follower) => follower.flush(&self.site, effects),
            Role::Learner(learner) => learner.follower.flush(&self.site, effects),
            Role::Outside => {}
        }
    }

    /// Whether [`Core::flush`] could have something to send.
    pub fn is_to_flush(&self) -> bool {
        match &self.role {
            Role::Primary(tenure) => !tenure.peers.all.is_empty(),
            Role::Backup(follower) => follower.has_to_flush(),
            Role::Learner(learner) => learner.follower.has_to_flush(),
            Role::Outside => false,
        }
    }

    /// When to hand in [`Input::Tick`] at the latest, on the clock of `mono_us`, and then to flush.
    pub fn next_deadline(&self) -> Option<u64> {
        match &self.role {
            Role::Primary(tenure) => tenure.next_deadline(&self.site),
            _ => None,
        }
    }

    fn handle_frame(&mut self, frame: Frame, effects: &mut Vec<Effect>) {
        if !self.site.admits(&frame) {
            self.site.fenced += 1;
            return;
        }
        if let Body::Beacon { sent_us, .. } = &frame.body {
            self.site.grant(*sent_us, effects);
        }
        let Core { site, ledger, role } = self;
        match role {
            Role::Primary(tenure) => {
                let mut primary = Primary { site, ledger, tenure };
                primary.handle_answer(frame.from, frame.body, effects);
                primary.take_over(effects);
            }
            Role::Backup(follower) => follower.take(frame.body, site, ledger, effects),
            Role::Learner(learner) => learner.handle(frame.body, site, ledger, effects),
            Role::Outside => {}
        }
    }

    /// Only a primary decides. What it may come too late for, a later one has to know.
    fn decline(&mut self, input: &Input, effects: &mut Vec<Effect>) {
        let origin = match input {
            Input::Request(request) => request.origin,
            Input::Job(batch) => batch.origin,
            Input::EndSession(session) => return self.ledger.sessions.leave(*session),
            _ => return,
        };
        let error = not_primary(self.site.partition, &self.site.configuration);
        effects.push(Effect::Reply { origin, answer: Err(error) });
    }

    /// The replica at work as a primary, if it is.
    pub(super) fn primary(&mut self) -> Option<Primary<'_>> {
        match &mut self.role {
            Role::Primary(tenure) => Some(Primary { site: &self.site, ledger: &mut self.ledger, tenure }),
            _ => None,
        }
    }

    /// The partition.
    pub fn partition(&self) -> PartitionId {
        self.site.partition
    }

    /// The configuration that the replica goes by.
    pub fn configuration(&self) -> &Arc<Configuration> {
        &self.site.configuration
    }

    /// What the replica is.
    pub fn place(&self) -> Place {
        match self.role {
            Role::Primary(_) => Place::Primary,
            Role::Backup(_) => Place::Backup,
            Role::Learner(_) => Place::Learner,
            Role::Outside => Place::Outside,
        }
    }

    /// Whether it is a primary that has taken over all that was there before.
    pub fn is_serving(&self) -> bool {
        matches!(&self.role, Role::Primary(tenure) if tenure.phase == super::replication::Phase::Serving)
    }

    /// Reads committed rows while this tenure's lease lasts. A later tenure needs another reader: ask for one after
    /// every [`Input::Configuration`].
    pub fn reader(&self) -> Reader {
        self.ledger.store.reader()
    }

    /// The last committed entry's position.
    pub fn position(&self) -> Position {
        self.ledger.committed()
    }

    /// The last entry's position, prepared or committed.
    pub fn end(&self) -> Position {
        self.ledger.end()
    }

    /// The committed entries that are still kept.
    pub fn log(&self) -> &Log {
        &self.ledger.log
    }

    /// The catalogue as decisions see it; where none are made, the latest that the node has.
    pub fn view(&self) -> &Arc<View> {
        match &self.role {
            Role::Primary(tenure) => &tenure.view,
            _ => &self.site.latest,
        }
    }

    /// Operations between admission and reply.
    pub fn under_way(&self) -> usize {
        match &self.role {
            Role::Primary(tenure) => tenure.under_way(),
            _ => 0,
        }
    }

    /// The bytes that answers kept for retries hold, roughly.
    pub fn answer_bytes(&self) -> usize {
        self.ledger.sessions.bytes()
    }

    /// Stored rows that lack a score they should have, as far as a primary knows.
    pub fn unscored(&self) -> usize {
        match &self.role {
            Role::Primary(tenure) => tenure.unscored(),
            _ => 0,
        }
    }

    /// A sum over all committed rows: equal on replicas that have applied the same entries.
    pub fn checksum(&self) -> u64 {
        self.ledger.store.checksum()
    }

    /// Whether it is a primary whose backups hold other rows, and nobody can say which are right.
    pub fn differs(&self) -> bool {
        matches!(&self.role, Role::Primary(tenure) if tenure.comparison.is_undecided)
    }

    /// Frames dropped because they were of another epoch, or of nobody known.
    pub fn fenced(&self) -> u64 {
        self.site.fenced
    }
}
