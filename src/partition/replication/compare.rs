//! Anti-entropy (protocol rule 20): replicas in sync are compared, while each of them is at the same entry.
//!
//! Once in a while the primary asks every replica in sync what its rows come to as of its last committed entry. A replica
//! that is beyond it already says nothing: there is a next time. When all have answered, those that differ are expelled if
//! most agree with the primary, and whoever takes their places is copied anew. Where most do not agree with it, nobody can
//! say which rows are right: that is told, and nothing is changed.

use smallvec::SmallVec;

use super::{Body, Proposal, Standing, lease::next_moment_us};
use crate::{
    partition::{Difference, Effect, core::Primary, ledger::Ledger, site::Site},
    types::{JoinId, Position},
};

/// What is compared, and what came of it.
#[derive(Debug)]
pub(in crate::partition) struct Comparison {
    /// When to ask again.
    again_us: u64,
    asked: Option<Asked>,
    /// The replicas differ, and nobody can say which of them is right.
    pub(in crate::partition) is_undecided: bool,
}

impl Comparison {
    /// For a tenure that begins now.
    pub(in crate::partition) fn new(site: &Site) -> Self {
        let again_us = next_moment_us(site.now.mono_us, site.timing.compare_us);
        Comparison { again_us, asked: None, is_undecided: false }
    }
}

/// A question that is not answered by all.
#[derive(Debug)]
struct Asked {
    at: Position,
    /// The primary's own rows.
    checksum: u64,
    answers: SmallVec<[(JoinId, u64); 2]>,
}

impl Primary<'_> {
    /// Asks everybody in sync what its rows come to, if it is time to.
    pub(in crate::partition) fn compare(&mut self, effects: &mut Vec<Effect>) {
        let (now_us, at) = (self.site.now.mono_us, self.ledger.committed());
        let comparison = &mut self.tenure.comparison;
        if comparison.again_us > now_us || self.tenure.phase != super::Phase::Serving {
            return;
        }
        comparison.again_us = next_moment_us(now_us, self.site.timing.compare_us);
        let checksum = self.ledger.store.checksum();
        comparison.asked = Some(Asked { at, checksum, answers: SmallVec::new() });
        for peer in self.tenure.peers.all.iter().filter(|peer| matches!(peer.standing, Standing::InSync)) {
            self.site.send(peer.replica, Body::Compare { at }, effects);
        }
    }

    /// A replica says what its rows come to.
    pub(in crate::partition) fn handle_checksum(
        &mut self,
        from: JoinId,
        at: Position,
        checksum: u64,
        effects: &mut Vec<Effect>,
    ) {
        let Some(asked) = self.tenure.comparison.asked.as_mut().filter(|asked| asked.at == at) else {
            return;
        };
        if asked.answers.iter().all(|(join, _)| *join != from) {
            asked.answers.push((from, checksum));
        }
        let mut in_sync =
            self.tenure.peers.all.iter().filter(|peer| matches!(peer.standing, Standing::InSync));
        let has_answered = |join| asked.answers.iter().any(|(answered, _)| *answered == join);
        if in_sync.all(|peer| has_answered(peer.replica.join))
            && let Some(asked) = self.tenure.comparison.asked.take()
        {
            self.judge(asked, effects);
        }
    }

    fn judge(&mut self, Asked { at, checksum, answers }: Asked, effects: &mut Vec<Effect>) {
        let differing = answers.iter().filter(|(_, other)| *other != checksum).count();
        let agreeing = answers.len() - differing + 1;
        let was_undecided = self.tenure.comparison.is_undecided;
        self.tenure.comparison.is_undecided = differing >= agreeing;
        if differing < agreeing {
            for (join, _) in answers.iter().filter(|(_, other)| *other != checksum) {
                self.propose(Proposal::Expel { join: *join }, effects);
            }
        } else if !was_undecided {
            let partition = self.site.partition;
            let others = answers.into_vec();
            effects.push(Effect::Differ(Difference { partition, at, checksum, others }));
        }
    }
}

/// Answers what the rows come to as of an entry, which is committed; nothing where the replica is beyond it, or has not
/// come so far.
pub(super) fn answer(at: Position, ledger: &Ledger, site: &Site, effects: &mut Vec<Effect>) {
    if at == ledger.committed() {
        site.tell_primary(Body::Checksum { at, checksum: ledger.store.checksum() }, effects);
    }
}
