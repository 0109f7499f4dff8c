//! What lies between machines, and between them and their clients: it delays, loses, repeats and reorders, and is cut one
//! way or both. Every cut has an end of its own.

use std::collections::BTreeMap;

use embergrid::types::NodeId;

use crate::dice::Dice;

/// Who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Node(NodeId),
    /// By number.
    Client(usize),
}

impl From<NodeId> for Place {
    fn from(node: NodeId) -> Self {
        Place::Node(node)
    }
}

/// How bad it is at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather {
    /// Of a hundred messages, so many are lost.
    pub(crate) lost: u64,
    /// And so many arrive twice.
    pub(crate) twice: u64,
    /// Some take up to so long.
    pub(crate) slow_us: u64,
}

/// All links.
#[derive(Default)]
pub(crate) struct Network {
    /// From, to; and until when.
    cut: BTreeMap<(Place, Place), u64>,
    /// What nodes replicate gets through no longer, one way or the other, though they hear each other; and until when.
    stuck: BTreeMap<NodeId, u64>,
    pub(crate) weather: Weather,
}

impl Network {
    /// Cuts one way, until then at least. Whoever talks to himself is heard all the same.
    pub(crate) fn cut(&mut self, from: Place, to: Place, until_us: u64) {
        if from != to {
            let until = self.cut.entry((from, to)).or_default();
            *until = until_us.max(*until);
        }
    }

    /// The streams of a node hang.
    pub(crate) fn hang(&mut self, node: NodeId, until_us: u64) {
        let until = self.stuck.entry(node).or_default();
        *until = until_us.max(*until);
    }

    pub(crate) fn heal(&mut self) {
        *self = Network::default();
    }

    /// Both ways are whole again; until when they were to be cut.
    pub(crate) fn join(&mut self, a: Place, b: Place) -> Option<u64> {
        self.cut.remove(&(a, b)).max(self.cut.remove(&(b, a)))
    }

    /// What was to last until now is over.
    pub(crate) fn mend(&mut self, now_us: u64) {
        self.cut.retain(|_, until_us| now_us < *until_us);
        self.stuck.retain(|_, until_us| now_us < *until_us);
    }

    /// Whether nothing is cut or stuck, and the weather is fair.
    pub(crate) fn is_whole(&self) -> bool {
        self.cut.is_empty() && self.stuck.is_empty() && self.weather == Weather::default()
    }

    pub(crate) fn is_cut(&self, from: Place, to: Place) -> bool {
        self.cut.contains_key(&(from, to))
    }

    /// Whether nothing that these nodes replicate gets through.
    pub(crate) fn is_stuck(&self, from: NodeId, to: NodeId) -> bool {
        self.stuck.contains_key(&from) || self.stuck.contains_key(&to)
    }

    /// Whether both hear each other.
    pub(crate) fn connects(&self, a: Place, b: Place) -> bool {
        !self.is_cut(a, b) && !self.is_cut(b, a)
    }

    /// How long a message takes; none if it is lost.
    pub(crate) fn delay_us(&self, dice: &mut Dice, from: Place, to: Place) -> Option<u64> {
        if self.is_cut(from, to) || dice.percent(self.weather.lost) {
            return None;
        }
        Some(self.transit_us(dice))
    }

    /// The same, for something that must not be lost while there is a connection.
    pub(crate) fn transit_us(&self, dice: &mut Dice) -> u64 {
        let slow = self.weather.slow_us > 0 && dice.percent(30);
        let most_us = if slow { self.weather.slow_us } else { 600 };
        100 + dice.below(most_us)
    }

    pub(crate) fn arrives_twice(&self, dice: &mut Dice) -> bool {
        dice.percent(self.weather.twice)
    }
}
