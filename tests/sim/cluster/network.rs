//! What lies between machines, and between them and their clients: it delays, loses, repeats and reorders, and is cut one
//! way or both.

use std::collections::BTreeSet;

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
    /// From, to.
    cut: BTreeSet<(Place, Place)>,
    pub(crate) weather: Weather,
}

impl Network {
    /// Whoever talks to himself is heard all the same.
    pub(crate) fn cut(&mut self, from: Place, to: Place) {
        if from != to {
            self.cut.insert((from, to));
        }
    }

    /// Cuts somebody off from these, both ways.
    pub(crate) fn isolate(&mut self, who: Place, from: impl IntoIterator<Item = Place>) {
        for other in from {
            self.cut(who, other);
            self.cut(other, who);
        }
    }

    pub(crate) fn heal(&mut self) {
        *self = Network::default();
    }

    /// One way is whole again.
    pub(crate) fn join(&mut self, from: Place, to: Place) {
        self.cut.remove(&(from, to));
    }

    pub(crate) fn mend(&mut self) {
        self.cut.clear();
    }

    /// Whether nothing is cut, and the weather is fair.
    pub(crate) fn is_whole(&self) -> bool {
        self.cut.is_empty() && self.weather == Weather::default()
    }

    pub(crate) fn is_cut(&self, from: Place, to: Place) -> bool {
        self.cut.contains(&(from, to))
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
