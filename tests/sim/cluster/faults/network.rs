//! The network is cut, flaps, and has its weather.

use embergrid::types::NodeId;

use crate::cluster::events::Event;
use crate::cluster::network::{Place, Weather};
use crate::cluster::world::World;
use crate::dice::Dice;

/// A link that is down and up again, many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flap {
    from: Place,
    to: Place,
    both_ways: bool,
    is_down: bool,
    down_us: u64,
    up_us: u64,
    /// How often it has yet to change.
    left: u32,
}

impl World {
    pub(super) fn cut(&mut self, dice: &mut Dice) -> Option<String> {
        let (from, to) = (self.any_node(dice), self.any_node(dice));
        let both_ways = dice.percent(50);
        self.network.cut(from.into(), to.into());
        if both_ways {
            self.network.cut(to.into(), from.into());
        }
        self.mend_later(dice);
        let ways = if both_ways { ", and back" } else { "" };
        (from != to).then(|| format!("cut from node {from} to node {to}{ways}"))
    }

    pub(super) fn isolate(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        Some(self.isolate_node(node, dice))
    }

    /// A node is cut off from all others; what is said about it.
    pub(super) fn isolate_node(&mut self, node: NodeId, dice: &mut Dice) -> String {
        let others: Vec<Place> = self.machines.iter().map(|machine| machine.node.into()).collect();
        self.network.isolate(node.into(), others);
        self.mend_later(dice);
        format!("node {node} is cut off")
    }

    pub(super) fn cut_client(&mut self, dice: &mut Dice) -> Option<String> {
        let (node, client) = (self.any_node(dice), self.any_client(dice));
        self.network.isolate(Place::Client(client), [node.into()]);
        self.mend_later(dice);
        Some(format!("client {client} is cut from node {node}"))
    }

    /// A client is cut off from everybody, for so long that its session is over.
    pub(super) fn forget_client(&mut self, dice: &mut Dice) -> Result<String, String> {
        let client = self.any_client(dice);
        let nodes: Vec<Place> = self.machines.iter().map(|machine| machine.node.into()).collect();
        self.network.isolate(Place::Client(client), nodes);
        self.mend_later(dice);
        self.abandon(client)?;
        Ok(format!("client {client} is cut off, and its session is over"))
    }

    fn mend_later(&mut self, dice: &mut Dice) {
        let long = dice.percent(40);
        let after_us = if long { dice.below(3_000_000) } else { dice.below(500_000) };
        self.after(after_us, Event::Mend);
    }

    pub(super) fn flap(&mut self, dice: &mut Dice) -> Option<String> {
        let from = self.any_node(dice);
        let to = if dice.percent(70) {
            Place::from(self.any_node(dice))
        } else {
            Place::Client(self.any_client(dice))
        };
        if to == from.into() {
            return None;
        }
        let flap = Flap {
            from: from.into(),
            to,
            both_ways: dice.percent(60),
            is_down: false,
            down_us: dice.between(2_000, 150_000),
            up_us: dice.between(2_000, 150_000),
            left: dice.between(6, 30) as u32,
        };
        self.after(1, Event::Flap(flap));
        Some(format!("flaps: {flap:?}"))
    }

    /// A link that flaps changes.
    pub(in crate::cluster) fn flap_on(&mut self, flap: Flap) {
        let Flap { from, to, both_ways, is_down, down_us, up_us, left } = flap;
        let ways = if both_ways { vec![(from, to), (to, from)] } else { vec![(from, to)] };
        if is_down {
            ways.into_iter().for_each(|(from, to)| self.network.join(from, to));
            self.flow_again();
        } else if left > 0 && !self.is_calm {
            self.seen.flaps += 1;
            ways.into_iter().for_each(|(from, to)| self.network.cut(from, to));
        } else {
            return;
        }
        let next = Flap { is_down: !is_down, left: left.saturating_sub(1), ..flap };
        self.after(if is_down { up_us } else { down_us }, Event::Flap(next));
    }

    pub(super) fn storm(&mut self, dice: &mut Dice) -> Option<String> {
        let weather = Weather {
            lost: dice.below(15),
            twice: dice.below(15),
            slow_us: dice.one_of(&[0, 5_000, 30_000, 150_000]),
        };
        self.network.weather = weather;
        let after_us = dice.below(2_000_000);
        self.after(after_us, Event::Clear);
        Some(format!("{weather:?}"))
    }
}
