//! PURE: who founds a cluster.
//!
//! Nodes that belong to no cluster and expect to be `n` meet at their seeds. The one with the lowest id among those it
//! sees goes first: it asks the others to count on it, and founds when `n - 1` do. A node counts on one other at most, and who founds
//! counts on nobody: so of `n` nodes, or of any number below `2 n`, no two sets can each found a cluster, whoever sees
//! whom. A node goes on counting on another until that one says that it does not reckon with it (any more), or was out
//! of sight for long.

use crate::types::NodeId;

/// What a node without a cluster has promised.
#[derive(Debug)]
pub(super) struct Birth {
    me: NodeId,
    /// Numbers the attempts. Begins at random, so that those of the node's last start are told apart.
    round: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Free.
    Open,
    /// It asks others to count on it.
    Asking,
    /// It counts on another, in that one's round.
    Counting { on: NodeId, round: u64 },
    /// It founds: there is no way back.
    Founding,
}

impl Birth {
    /// A node that has promised nothing.
    pub(super) fn new(me: NodeId, first_round: u64) -> Self {
        Birth { me, round: first_round, state: State::Open }
    }

    /// Begins to ask others; the number of the attempt, none if this node counts on another.
    pub(super) fn ask(&mut self) -> Option<u64> {
        if !matches!(self.state, State::Open | State::Asking) {
            return None;
        }
        self.round = self.round.wrapping_add(1);
        self.state = State::Asking;
        Some(self.round)
    }

    /// The attempt has failed.
    pub(super) fn give_up(&mut self) {
        if self.state == State::Asking {
            self.state = State::Open;
        }
    }

    /// Enough others count on this node. False if it has come to count on another meanwhile.
    pub(super) fn found(&mut self) -> bool {
        let founds = self.state == State::Asking;
        if founds {
            self.state = State::Founding;
        }
        founds
    }

    /// Founds without others. False if it counts on another.
    pub(super) fn found_alone(&mut self) -> bool {
        self.ask().is_some() && self.found()
    }

    /// Another asks this node to count on it; whether it does.
    pub(super) fn count_on(&mut self, on: NodeId, round: u64) -> bool {
        let may = match self.state {
            State::Open => true,
            // The lower one goes first, or two that ask each other wait for ever.
            State::Asking => on < self.me,
            State::Counting { on: counted_on, .. } => on == counted_on,
            State::Founding => false,
        };
        if may {
            self.state = State::Counting { on, round };
        }
        may
    }

    /// Whether others may still be counting on this node in an attempt.
    pub(super) fn reckons(&self, round: u64) -> bool {
        self.round == round && matches!(self.state, State::Asking | State::Founding)
    }

    /// Whom this node counts on, and in which attempt.
    pub(super) fn counts_on(&self) -> Option<(NodeId, u64)> {
        match self.state {
            State::Counting { on, round } => Some((on, round)),
            _ => None,
        }
    }

    /// The other one does not reckon with it in that attempt: this node is free, unless another attempt has begun.
    pub(super) fn release(&mut self, on: NodeId, round: u64) {
        if self.state == (State::Counting { on, round }) {
            self.state = State::Open;
        }
    }
}

/// What to do about a birth, by what is seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Ask these to count on this node.
    Ask(Vec<NodeId>),
    /// So many nodes are missing.
    Wait(usize),
    /// Enough are there; this one goes first, if it wants to.
    Follow(NodeId),
}

/// Judges who founds a cluster of `expected`, of those without one that `me` sees.
pub(super) fn plan(me: NodeId, expected: usize, seen: impl Iterator<Item = NodeId>) -> Plan {
    let others: Vec<NodeId> = seen.filter(|node| *node != me).collect();
    let wanted = expected.saturating_sub(1);
    match others.iter().min() {
        _ if others.len() < wanted => Plan::Wait(wanted - others.len()),
        Some(lowest) if *lowest < me => Plan::Follow(*lowest),
        _ => Plan::Ask(others),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u64]) -> impl Iterator<Item = NodeId> {
        ids.iter().copied().map(NodeId)
    }

    #[test]
    fn the_lowest_of_enough_nodes_asks_the_others() {
        assert_eq!(plan(NodeId(2), 3, ids(&[])), Plan::Wait(2));
        assert_eq!(plan(NodeId(2), 3, ids(&[9])), Plan::Wait(1));
        assert_eq!(plan(NodeId(2), 3, ids(&[9, 1])), Plan::Follow(NodeId(1)));
        assert_eq!(plan(NodeId(2), 3, ids(&[9, 7, 8])), Plan::Ask(ids(&[9, 7, 8]).collect()));
    }

    #[test]
    fn a_node_counts_on_one_other() {
        let mut birth = Birth::new(NodeId(5), 70);
        assert!(birth.count_on(NodeId(9), 1));
        assert!(!birth.count_on(NodeId(1), 1));
        assert!(birth.count_on(NodeId(9), 2));
        assert_eq!(birth.ask(), None);
        assert!(!birth.found());
        birth.release(NodeId(9), 1);
        assert_eq!(birth.counts_on(), Some((NodeId(9), 2)));
        birth.release(NodeId(9), 2);
        assert_eq!(birth.counts_on(), None);
        assert!(birth.count_on(NodeId(1), 1));
    }

    #[test]
    fn one_that_asks_gives_way_to_a_lower_one_until_it_founds() {
        let mut birth = Birth::new(NodeId(5), 70);
        assert_eq!(birth.ask(), Some(71));
        assert!(birth.reckons(71) && !birth.reckons(70));
        assert!(!birth.count_on(NodeId(6), 1));
        assert!(birth.count_on(NodeId(4), 1));
        assert!(!birth.found() && !birth.reckons(71));
        birth.release(NodeId(4), 1);

        assert_eq!(birth.ask(), Some(72));
        birth.give_up();
        assert!(!birth.reckons(72));
        assert_eq!(birth.ask(), Some(73));
        assert!(birth.found() && birth.reckons(73));
        assert!(!birth.count_on(NodeId(4), 2));
        birth.give_up();
        assert!(birth.reckons(73));
        assert_eq!(birth.ask(), None);
    }
}
