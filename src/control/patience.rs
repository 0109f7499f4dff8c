//! PURE: when a node stands for election.
//!
//! Consensus itself draws an election timeout once a process and has no vote before the vote: two nodes whose timeouts
//! are alike can go on splitting the vote for ever, and a node that could not win makes the present leader step down. So
//! its own timer is off. A node that has not heard of a leader for a while first asks whether others would vote for it,
//! and stands if a majority would; each time it waits anew for a while drawn at random. Time is counted in steps.

use crate::types::NodeId;

/// How long a step is.
pub(super) const STEP_MS: u64 = 20;
/// For so long after a sign of the leader a voter elects nobody else: a little longer than consensus takes its lease to
/// last, so that who is promised a vote gets it.
pub(super) const LEASE_STEPS: u32 = 16;
/// What is drawn on top of it, at most.
const DRAWN_STEPS: u32 = 10;
/// How long one that stands, or was promised a vote, is given.
const ELECTING_STEPS: u32 = 12;

/// One node's patience with the leader.
#[derive(Debug)]
pub(super) struct Patience {
    me: NodeId,
    /// Since the last sign of a leader.
    silent: u32,
    /// Until this node may stand, once the leader is silent.
    wait: u32,
    is_asking: bool,
}

impl Patience {
    /// As if the leader had been heard just now. `dice` is any number.
    pub(super) fn new(me: NodeId, dice: u64) -> Self {
        Patience { me, silent: 0, wait: drawn(dice), is_asking: false }
    }

    /// A sign of the leader.
    pub(super) fn heard(&mut self, dice: u64) {
        self.silent = 0;
        self.wait = drawn(dice);
        self.is_asking = false;
    }

    /// A step has passed; whether it is time to ask for votes. Then [`asked`](Self::asked) follows.
    pub(super) fn step(&mut self) -> bool {
        self.silent = self.silent.saturating_add(1);
        if !self.has_lost_leader() {
            return false;
        }
        self.wait = self.wait.saturating_sub(1);
        self.is_asking = self.wait == 0;
        self.is_asking
    }

    /// Whether nothing was heard of a leader for so long that another may be elected.
    pub(super) fn has_lost_leader(&self) -> bool {
        self.silent >= LEASE_STEPS
    }

    /// All that were asked have answered, and a majority said yes or not; whether this node stands.
    pub(super) fn asked(&mut self, would_win: bool, dice: u64) -> bool {
        let stands = self.is_asking && would_win;
        if self.is_asking {
            self.is_asking = false;
            self.wait = drawn(dice).saturating_add(if stands { ELECTING_STEPS } else { 0 });
        }
        stands
    }

    /// Another asks whether it would have this node's vote. If so, this one lets it go first.
    pub(super) fn would_vote(&mut self, candidate: NodeId, has_as_much: bool, dice: u64) -> bool {
        // Of two that ask each other one must give way.
        let goes_first = self.is_asking && self.me < candidate;
        let would = self.has_lost_leader() && has_as_much && !goes_first;
        if would {
            self.is_asking = false;
            self.wait = ELECTING_STEPS.saturating_add(drawn(dice));
        }
        would
    }
}

fn drawn(dice: u64) -> u32 {
    // Below DRAWN_STEPS.
    1 + (dice % u64::from(DRAWN_STEPS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(me: u64) -> Patience {
        Patience::new(NodeId(me), 2)
    }

    fn steps(patience: &mut Patience, most: u32) -> Option<u32> {
        (1..=most).find(|_| patience.step())
    }

    #[test]
    fn a_node_asks_once_the_leader_was_silent_and_its_draw_is_over() {
        let mut patience = node(1);
        assert_eq!(steps(&mut patience, 10), None);
        patience.heard(4);
        assert_eq!(steps(&mut patience, 40), Some(LEASE_STEPS + 4));
        assert!(!patience.asked(false, 0));
        assert_eq!(steps(&mut patience, 40), Some(1));
        assert!(patience.asked(true, 6));
        assert_eq!(steps(&mut patience, 40), Some(ELECTING_STEPS + 7));
        patience.heard(0);
        assert!(!patience.asked(true, 0));
    }

    #[test]
    fn a_vote_is_promised_when_the_leader_is_lost_to_who_has_as_much() {
        let mut patience = node(1);
        assert!(!patience.would_vote(NodeId(2), true, 0));
        assert_eq!(steps(&mut patience, LEASE_STEPS), None);
        assert!(!patience.would_vote(NodeId(2), false, 0));
        assert!(patience.would_vote(NodeId(2), true, 0));
        // Lets it go first.
        assert_eq!(steps(&mut patience, 40), Some(ELECTING_STEPS + 1));
    }

    #[test]
    fn of_two_that_ask_each_other_the_lower_one_stands() {
        let (mut one, mut two) = (node(1), node(2));
        assert!(steps(&mut one, 40).is_some() && steps(&mut two, 40).is_some());
        assert!(!one.would_vote(NodeId(2), true, 0));
        assert!(two.would_vote(NodeId(1), true, 0));
        assert!(one.asked(true, 0));
        assert!(!two.asked(true, 0));
    }
}
