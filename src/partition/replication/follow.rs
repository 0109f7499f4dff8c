//! What a backup or a learner does with the primary's entries.

use std::sync::Arc;

use super::{Body, Receiver, Verdict, compare};
use crate::{
    mutant::Mutant,
    partition::{Effect, Entry, ledger::Ledger, log::is_unbroken, site::Site},
    types::{Position, Seq},
};

/// What a replica knows of its primary's history.
#[derive(Debug)]
pub(in crate::partition) struct Follower {
    /// Up to here, the log is the primary's.
    matched: Seq,
    /// Up to here, entries are committed, wherever they are.
    told: Seq,
    /// The primary is to hear of `matched`, when the tick is over.
    is_ack_due: bool,
    /// And that what follows is missing.
    is_behind: bool,
}

impl Follower {
    /// In an epoch of which nothing has been heard: what is committed is the primary's too.
    pub(in crate::partition) fn new(committed: Seq) -> Self {
        Follower { matched: committed, told: committed, is_ack_due: false, is_behind: true }
    }

    /// In the next epoch. The primary hears at once how far this replica is: its frames may have come too early.
    pub(in crate::partition) fn reconfigured(self, goes_on: bool, committed: Seq) -> Self {
        let matched = if goes_on || Mutant::RemembersMatch.is_on() { self.matched } else { committed };
        Follower { matched, told: self.told, is_ack_due: false, is_behind: true }
    }

    /// Takes entries from the primary.
    pub(in crate::partition) fn prepare(
        &mut self,
        prev: Position,
        entries: Vec<Arc<Entry>>,
        committed: Seq,
        ledger: &mut Ledger,
    ) {
        let is_known = prev.seq <= ledger.committed().seq || ledger.tail.position_at(prev.seq) == Some(prev);
        if !is_known || !is_unbroken(prev.seq, &entries) {
            self.is_behind = true;
            return;
        }
        let upto = entries.last().map_or(prev.seq, |last| last.position.seq);
        for entry in entries {
            self.hold(entry, ledger);
        }
        self.matched = self.matched.max(upto);
        self.told = self.told.max(committed);
        self.is_ack_due = true;
    }

    fn hold(&self, entry: Arc<Entry>, ledger: &mut Ledger) {
        let Position { seq, .. } = entry.position;
        if seq <= ledger.committed().seq {
            debug_assert!(
                ledger.log.position_at(seq).is_none_or(|held| held == entry.position),
                "what is committed stays: {} instead of {:?}",
                entry.position,
                ledger.log.position_at(seq)
            );
            return;
        }
        match ledger.tail.position_at(seq) {
            Some(held) if held == entry.position || Mutant::KeepsOwnEntries.is_on() => return,
            Some(_) => {
                debug_assert!(seq > self.matched, "what was acknowledged in this epoch stays");
                ledger.tail.truncate(seq);
            }
            None => {}
        }
        ledger.tail.push(entry);
    }

    /// A beacon tells how far the primary has committed.
    pub(in crate::partition) fn hear(&mut self, committed: Seq) {
        self.told = self.told.max(committed);
        self.is_behind |= self.matched < committed;
    }

    /// Applies what is committed and known to be the primary's.
    pub(in crate::partition) fn apply(
        &self,
        ledger: &mut Ledger,
        mut receiver: Option<&mut Receiver>,
        effects: &mut Vec<Effect>,
    ) {
        while let Some(entry) = ledger.tail.pop(self.commit_point()) {
            ledger.apply(&entry);
            if let Some(receiver) = &mut receiver {
                receiver.note(&entry);
            }
            effects.push(Effect::Publish(entry));
        }
    }

    /// What is committed, and known to be here as the primary has it.
    fn commit_point(&self) -> Seq {
        if Mutant::AppliesPrepared.is_on() {
            return self.matched;
        }
        self.told.min(self.matched)
    }

    /// Says how far it is, once a tick.
    pub(in crate::partition) fn flush(&mut self, site: &Site, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.is_ack_due) {
            site.tell_primary(Body::Prepared { upto: self.matched }, effects);
        }
        if std::mem::take(&mut self.is_behind) {
            site.tell_primary(Body::Behind { has: self.matched }, effects);
        }
    }

    pub(in crate::partition) fn has_to_flush(&self) -> bool {
        self.is_ack_due || self.is_behind
    }
}

/// A replica that is being filled.
#[derive(Debug)]
pub(in crate::partition) struct Learner {
    pub(in crate::partition) follower: Follower,
    /// None until the primary begins.
    receiver: Option<Receiver>,
}

impl Learner {
    pub(in crate::partition) fn new() -> Self {
        Learner { follower: Follower::new(Seq(0)), receiver: None }
    }

    /// Whether it has everything.
    pub(in crate::partition) fn is_complete(&self) -> bool {
        let is_enough = |receiver: &Receiver| receiver.is_complete() || Mutant::AdmitsUnfilled.is_on();
        self.receiver.as_ref().is_some_and(is_enough)
    }

    /// Takes a frame of the primary's.
    pub(in crate::partition) fn handle(
        &mut self,
        body: Body,
        site: &Site,
        ledger: &mut Ledger,
        effects: &mut Vec<Effect>,
    ) {
        match body {
            Body::Fill { fill, number, part } => {
                if self.receiver.as_ref().is_none_or(|receiver| receiver.fill() < fill) {
                    let Some(receiver) = Receiver::begin(fill, part, ledger, &site.limits) else { return };
                    self.receiver = Some(receiver);
                    self.follower = Follower::new(ledger.committed().seq);
                    self.follower.is_behind = false;
                    return site
                        .tell_primary(Body::Filled { fill, number, verdict: Verdict::Taken }, effects);
                }
                let Some(receiver) = self.receiver.as_mut().filter(|receiver| receiver.fill() == fill) else {
                    return;
                };
                if let Some(at) = Receiver::compared_at(&part) {
                    self.follower.told = self.follower.told.max(at);
                    self.follower.apply(ledger, Some(receiver), effects);
                }
                if let Some(verdict) = receiver.take(number, part, ledger) {
                    site.tell_primary(Body::Filled { fill, number, verdict }, effects);
                }
            }
            // Without a fill there is nothing that entries could follow.
            body => {
                if self.receiver.is_some() {
                    self.follower.handle(body, ledger);
                    self.follower.apply(ledger, self.receiver.as_mut(), effects);
                }
            }
        }
    }
}

impl Follower {
    /// Takes a frame of the primary's, as a backup does.
    pub(in crate::partition) fn take(
        &mut self,
        body: Body,
        site: &Site,
        ledger: &mut Ledger,
        effects: &mut Vec<Effect>,
    ) {
        let compared = match &body {
            Body::Compare { at } => Some(*at),
            _ => None,
        };
        self.handle(body, ledger);
        self.apply(ledger, None, effects);
        if let Some(at) = compared {
            compare::answer(at, ledger, site, effects);
        }
    }

    /// Takes a frame of the primary's about entries.
    pub(in crate::partition) fn handle(&mut self, body: Body, ledger: &mut Ledger) {
        match body {
            Body::Prepare { prev, entries, committed } => self.prepare(prev, entries, committed, ledger),
            Body::Beacon { committed, .. } => self.hear(committed),
            Body::Compare { at } => self.hear(at.seq),
            _ => {}
        }
    }
}
