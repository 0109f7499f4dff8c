//! The primary's other replicas: who has what, who grants what, who is silent.

use smallvec::SmallVec;

use super::{Sender, Timing};
use crate::{
    catalog::{Configuration, Replica},
    mutant::Mutant,
    types::{Epoch, JoinId, Seq},
};

/// Pauses between repetitions grow up to this many times the first.
const LONGEST_PAUSE: u32 = 8;
/// How many times longer than others a learner may be silent.
const LEARNERS_PATIENCE: u64 = 25;

/// One other replica, as the primary sees it.
#[derive(Debug)]
pub(in crate::partition) struct Peer {
    pub(in crate::partition) replica: Replica,
    pub(in crate::partition) standing: Standing,
    /// It was removed from the in-sync set and lacks nothing (rule 4).
    is_eligible: bool,
    /// It has acknowledged something in this epoch.
    pub(in crate::partition) is_confirmed: bool,
    /// It has every entry up to here.
    pub(in crate::partition) acked: Seq,
    /// Entries up to here are on their way.
    pub(in crate::partition) sent: Seq,
    /// It is to hear how far the primary is, though there may be no entry to send.
    pub(in crate::partition) is_asked: bool,
    /// The lease it granted.
    pub(in crate::partition) lease_until_us: u64,
    /// Since when an entry waits for its acknowledgement, or something else that was asked for an answer.
    waiting_since_us: Option<u64>,
    /// When entries are sent again.
    repeat_at_us: u64,
    repetitions: u32,
    /// The first beacon that was not answered.
    beacon_us: Option<u64>,
    /// Not to be reported before.
    reported_until_us: u64,
}

/// What a peer counts for.
#[derive(Debug)]
pub(in crate::partition) enum Standing {
    /// Every commit and every lease needs it.
    InSync,
    /// A learner that is being filled.
    Filling(Sender),
    /// A learner that has everything, or an eligible replica. It gets every entry.
    Filled {
        /// Not to be proposed before.
        rest_until_us: u64,
    },
    /// A filled one that every commit needs from now on, so that it can be proposed.
    Joining {
        /// Since when.
        since_us: u64,
    },
    /// Its admission is proposed, and the outcome unknown: every commit and every lease needs it (rule 2).
    Proposed {
        /// How many proposals may still take effect.
        open: u32,
        /// When to propose again.
        again_us: u64,
    },
}

impl Peer {
    /// A member of the in-sync set, which has every committed entry.
    fn in_sync(replica: Replica, committed: Seq) -> Self {
        Peer {
            replica,
            standing: Standing::InSync,
            is_eligible: false,
            is_confirmed: false,
            acked: committed,
            sent: committed,
            is_asked: true,
            lease_until_us: 0,
            waiting_since_us: None,
            repeat_at_us: 0,
            repetitions: 0,
            beacon_us: None,
            reported_until_us: 0,
        }
    }

    /// A removed one, which has every committed entry too: none was committed without it.
    fn eligible(replica: Replica, committed: Seq) -> Self {
        let standing = Standing::Filled { rest_until_us: 0 };
        Peer { standing, is_eligible: true, ..Peer::in_sync(replica, committed) }
    }

    fn learner(replica: Replica, epoch: Epoch) -> Self {
        let standing = Standing::Filling(Sender::new(epoch));
        Peer { standing, is_asked: false, ..Peer::in_sync(replica, Seq(0)) }
    }

    /// Whether it gets entries as they are prepared.
    pub(in crate::partition) fn follows(&self) -> bool {
        match &self.standing {
            Standing::Filling(sender) => sender.pinned.is_some(),
            _ => true,
        }
    }

    fn is_needed_to_commit(&self) -> bool {
        match self.standing {
            Standing::InSync => true,
            Standing::Joining { .. } | Standing::Proposed { .. } => !Mutant::CommitsWithoutJoiner.is_on(),
            _ => false,
        }
    }

    fn is_needed_to_serve(&self) -> bool {
        match self.standing {
            Standing::InSync => true,
            Standing::Proposed { .. } => !Mutant::ServesWithoutJoiner.is_on(),
            _ => false,
        }
    }

    /// A learner has begun to follow after the pinned entry.
    pub(in crate::partition) fn begin(&mut self, pinned: Seq) {
        self.acked = pinned;
        self.sent = pinned;
        self.is_asked = true;
    }

    /// Entries are on their way, or a question.
    pub(in crate::partition) fn note_sent(&mut self, upto: Seq, now_us: u64, timing: &Timing) {
        self.sent = self.sent.max(upto);
        self.is_asked = false;
        self.waiting_since_us.get_or_insert(now_us);
        self.repeat_at_us = now_us.saturating_add(self.pause_us(timing));
    }

    /// It has every entry up to `upto`.
    pub(in crate::partition) fn acknowledge(&mut self, upto: Seq, now_us: u64) {
        self.is_confirmed = true;
        if upto >= self.sent {
            self.waiting_since_us = None;
        } else if upto > self.acked {
            self.waiting_since_us = Some(now_us);
        }
        if upto >= self.sent || upto > self.acked {
            self.repetitions = 0;
        }
        self.acked = self.acked.max(upto);
        self.sent = self.sent.max(self.acked);
    }

    /// Whether it has lately answered whatever it was asked.
    pub(in crate::partition) fn is_prompt(&self, now_us: u64) -> bool {
        self.is_confirmed && !self.is_doubtful() && now_us < self.lease_until_us
    }

    /// Entries are to be sent again from the first that it may lack.
    pub(in crate::partition) fn go_back(&mut self) {
        self.sent = self.acked;
        self.is_asked = true;
    }

    /// It says that it lacks entries. One frame shows whether that helps.
    pub(in crate::partition) fn is_behind(&mut self) {
        self.repetitions = self.repetitions.max(1);
        self.go_back();
    }

    /// Sends again what was not acknowledged in time.
    pub(in crate::partition) fn repeat(&mut self, now_us: u64) {
        if self.waiting_since_us.is_some() && self.repeat_at_us <= now_us {
            self.repetitions = (self.repetitions + 1).min(LONGEST_PAUSE);
            self.go_back();
        }
    }

    /// Whether it did not answer lately: one frame is enough until it does.
    pub(in crate::partition) fn is_doubtful(&self) -> bool {
        self.repetitions > 0
    }

    fn pause_us(&self, timing: &Timing) -> u64 {
        timing.retry_us.saturating_mul(u64::from(1 + self.repetitions))
    }

    /// A beacon goes out.
    pub(in crate::partition) fn note_beacon(&mut self, now_us: u64) {
        self.beacon_us.get_or_insert(now_us);
    }

    /// It answered the beacon sent then.
    pub(in crate::partition) fn grant(&mut self, sent_us: u64, timing: &Timing) {
        self.lease_until_us = self.lease_until_us.max(sent_us.saturating_add(timing.lease_us));
        if self.beacon_us.is_some_and(|first| sent_us >= first) {
            self.beacon_us = None;
        }
    }

    /// Since when it owes an answer. What is removed already owes none.
    fn silent_since_us(&self) -> Option<u64> {
        if self.is_eligible {
            return None;
        }
        let part = match &self.standing {
            Standing::Filling(sender) => sender.waiting_since_us(),
            _ => None,
        };
        [self.waiting_since_us, self.beacon_us, part].into_iter().flatten().min()
    }

    /// How long it may be silent: commits wait for some, and nothing for others.
    fn patience_us(&self, timing: &Timing) -> u64 {
        match self.standing {
            Standing::InSync | Standing::Proposed { .. } => timing.failure_us,
            _ => timing.failure_us.saturating_mul(LEARNERS_PATIENCE),
        }
    }

    /// Whether it is to be reported now: it was silent for too long, and not reported lately.
    pub(in crate::partition) fn is_hung(&mut self, now_us: u64, timing: &Timing) -> bool {
        let (since_us, patience_us) = (self.silent_since_us(), self.patience_us(timing));
        let is_silent = since_us.is_some_and(|since_us| since_us.saturating_add(patience_us) <= now_us);
        is_silent && self.may_report(now_us, timing)
    }

    /// Whether it was not reported lately; from now on, it was.
    pub(in crate::partition) fn may_report(&mut self, now_us: u64, timing: &Timing) -> bool {
        let may = self.reported_until_us <= now_us;
        if may {
            self.reported_until_us = now_us.saturating_add(timing.proposal_us);
        }
        may
    }

    /// When to look at it again.
    pub(in crate::partition) fn next_us(&self, now_us: u64, timing: &Timing) -> Option<u64> {
        let repeat = self.waiting_since_us.map(|_| self.repeat_at_us);
        let patience_us = self.patience_us(timing);
        let silent = self.silent_since_us();
        let silent = silent.map(|since| since.saturating_add(patience_us).max(self.reported_until_us));
        let standing = match &self.standing {
            Standing::InSync => None,
            Standing::Filling(sender) => sender.next_us(now_us),
            // When it has rested, it waits for frames.
            Standing::Filled { rest_until_us } => Some(*rest_until_us).filter(|until_us| *until_us > now_us),
            Standing::Joining { since_us } => Some(since_us.saturating_add(timing.failure_us)),
            Standing::Proposed { again_us, .. } => Some(*again_us),
        };
        [repeat, silent, standing].into_iter().flatten().min()
    }
}

/// All other replicas.
#[derive(Debug, Default)]
pub(in crate::partition) struct Peers {
    pub(in crate::partition) all: SmallVec<[Peer; 2]>,
    /// Members of the in-sync set, the primary included.
    in_sync: usize,
    min_in_sync: usize,
}

impl Peers {
    /// As a primary finds them when its tenure begins: those in sync have what is committed, and so have the eligible.
    pub(in crate::partition) fn new(
        configuration: &Configuration,
        me: JoinId,
        committed: Seq,
        min: usize,
    ) -> Self {
        let others = configuration.in_sync.iter().filter(|replica| replica.join != me);
        let in_sync = others.map(|replica| Peer::in_sync(*replica, committed));
        let eligible = configuration.eligible.iter().map(|replica| Peer::eligible(*replica, committed));
        let learners = configuration.learners.iter();
        let learners = learners.map(|replica| Peer::learner(*replica, configuration.epoch));
        Peers {
            // Whoever needs no copy is admitted first.
            all: in_sync.chain(eligible).chain(learners).collect(),
            in_sync: configuration.in_sync.len(),
            min_in_sync: min,
        }
    }

    /// The next configuration of the same tenure: what is known of replicas that stay holds on.
    pub(in crate::partition) fn reconfigure(
        &mut self,
        configuration: &Configuration,
        me: JoinId,
        committed: Seq,
        now_us: u64,
    ) {
        let before = std::mem::replace(self, Peers::new(configuration, me, committed, self.min_in_sync));
        for mut peer in before.all {
            let Some(next) = self.find(peer.replica.join) else { continue };
            peer.standing = match (next.standing_is_in_sync(), peer.standing) {
                (true, _) => Standing::InSync,
                (false, Standing::Filling(mut sender)) => {
                    sender.repeat(now_us);
                    Standing::Filling(sender)
                }
                // Whatever was proposed in an epoch before cannot take effect any more.
                (false, _) => Standing::Filled { rest_until_us: 0 },
            };
            peer.is_eligible = next.is_eligible;
            // It may have been silent since.
            peer.is_confirmed = false;
            // Frames of the epoch before are dropped, and nobody is to blame.
            peer.beacon_us = None;
            peer.waiting_since_us = None;
            if peer.follows() {
                peer.go_back();
            }
            *next = peer;
        }
    }

    pub(in crate::partition) fn find(&mut self, join: JoinId) -> Option<&mut Peer> {
        self.all.iter_mut().find(|peer| peer.replica.join == join)
    }

    /// The last entry that every replica has that a commit needs, where the primary's last one is `own`; none while the
    /// in-sync set is too small to commit.
    pub(in crate::partition) fn commit_point(&self, own: Seq) -> Option<Seq> {
        if self.in_sync < self.min_in_sync && !Mutant::IgnoresMinInSync.is_on() {
            return None;
        }
        let needed = self.all.iter().filter(|peer| peer.is_needed_to_commit());
        let acked = needed.map(|peer| peer.acked);
        if Mutant::CommitsAlone.is_on() {
            return Some(own);
        }
        if Mutant::CommitsAtFirst.is_on() {
            return Some(acked.max().unwrap_or(own));
        }
        Some(acked.fold(own, Seq::min))
    }

    /// Until when all have granted the lease that serving needs. A sole replica needs the control leader's, and one
    /// that may be sole or not needs both.
    pub(in crate::partition) fn lease_until_us(&self, of_control_us: u64) -> u64 {
        let is_alone = self.in_sync == 1 && !Mutant::ServesUngranted.is_on();
        let alone = if is_alone { of_control_us } else { u64::MAX };
        let needed = self.all.iter().filter(|peer| peer.is_needed_to_serve());
        let granted = needed.map(|peer| peer.lease_until_us);
        if Mutant::ServesByOneLease.is_on() {
            return granted.max().unwrap_or(u64::MAX).min(alone);
        }
        granted.fold(alone, u64::min)
    }

    /// Whether a learner is on its way into the in-sync set.
    pub(in crate::partition) fn is_one_joining(&self) -> bool {
        let is_joining =
            |peer: &Peer| matches!(peer.standing, Standing::Joining { .. } | Standing::Proposed { .. });
        self.all.iter().any(is_joining)
    }

    /// The entries that a learner has yet to acknowledge come after this one.
    pub(in crate::partition) fn learners_need_after(&self) -> Option<Seq> {
        let needs = |peer: &Peer| match &peer.standing {
            Standing::InSync => None,
            Standing::Filling(sender) if sender.pinned.is_none() => sender.needs_after(),
            _ => Some(peer.acked),
        };
        self.all.iter().filter_map(needs).min()
    }
}

impl Peer {
    fn standing_is_in_sync(&self) -> bool {
        matches!(self.standing, Standing::InSync)
    }
}
