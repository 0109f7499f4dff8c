//! Who has what: the accounting behind a commit.

use smallvec::SmallVec;

use crate::types::{JoinId, Seq};

/// How far each replica of the in-sync set has the entries.
#[derive(Debug)]
pub(super) struct Acknowledgements {
    in_sync: SmallVec<[(JoinId, Seq); 3]>,
    min_in_sync: usize,
}

impl Acknowledgements {
    /// Nobody has anything after `start`.
    pub(super) fn new(in_sync: impl IntoIterator<Item = JoinId>, start: Seq, min_in_sync: usize) -> Self {
        let in_sync = in_sync.into_iter().map(|join| (join, start)).collect();
        Acknowledgements { in_sync, min_in_sync }
    }

    /// A replica has every entry up to `seq`. Whoever is not in sync is not counted.
    pub(super) fn acknowledge(&mut self, join: JoinId, seq: Seq) {
        if let Some((_, has)) = self.in_sync.iter_mut().find(|(member, _)| *member == join) {
            *has = seq.max(*has);
        }
    }

    /// The last entry that every replica of the in-sync set has; none while the set is too small to commit.
    pub(super) fn commit_point(&self) -> Option<Seq> {
        if self.in_sync.len() < self.min_in_sync {
            return None;
        }
        self.in_sync.iter().map(|(_, has)| *has).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(joins: &[u64], min_in_sync: usize) -> Acknowledgements {
        Acknowledgements::new(joins.iter().copied().map(JoinId), Seq(5), min_in_sync)
    }

    #[test]
    fn a_sole_replica_commits_what_it_has() {
        let mut acknowledgements = of(&[1], 1);
        assert_eq!(acknowledgements.commit_point(), Some(Seq(5)));
        acknowledgements.acknowledge(JoinId(1), Seq(6));
        assert_eq!(acknowledgements.commit_point(), Some(Seq(6)));
    }

    #[test]
    fn the_slowest_decides() {
        let mut acknowledgements = of(&[1, 2, 3], 2);
        for (join, seq) in [(1, 9), (2, 7), (3, 8)] {
            acknowledgements.acknowledge(JoinId(join), Seq(seq));
        }
        assert_eq!(acknowledgements.commit_point(), Some(Seq(7)));
        acknowledgements.acknowledge(JoinId(2), Seq(6));
        assert_eq!(
            acknowledgements.commit_point(),
            Some(Seq(7)),
            "an old acknowledgement takes nothing back"
        );
        acknowledgements.acknowledge(JoinId(4), Seq(1));
        assert_eq!(acknowledgements.commit_point(), Some(Seq(7)), "a stranger is not counted");
    }

    #[test]
    fn too_few_in_sync_commit_nothing() {
        let mut acknowledgements = of(&[1], 2);
        acknowledgements.acknowledge(JoinId(1), Seq(9));
        assert_eq!(acknowledgements.commit_point(), None);
    }
}
