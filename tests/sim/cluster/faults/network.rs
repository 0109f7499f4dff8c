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
    down_us: u64,
    up_us: u64,
    /// How often it has yet to go down.
    left: u32,
}

impl World {
    pub(super) fn cut(&mut self, dice: &mut Dice) -> Option<String> {
        let (from, to) = (self.any_node(dice), self.any_node(dice));
        let both_ways = dice.percent(50);
        let for_us = lasts_us(dice);
        self.cut_way(from.into(), to.into(), for_us);
        if both_ways {
            self.cut_way(to.into(), from.into(), for_us);
        }
        let ways = if both_ways { ", and back" } else { "" };
        (from != to).then(|| format!("cut from node {from} to node {to}{ways}"))
    }

    pub(super) fn isolate(&mut self, dice: &mut Dice) -> Option<String> {
        let node = self.any_node(dice);
        Some(self.isolate_node(node, dice))
    }

    /// A node is cut off from all others; what is said about it.
    pub(super) fn isolate_node(&mut self, node: NodeId, dice: &mut Dice) -> String {
        let for_us = lasts_us(dice);
        self.cut_off(node.into(), for_us);
        format!("node {node} is cut off for {for_us} us")
    }

    /// A link is cut, one way.
    pub(super) fn cut_way(&mut self, from: Place, to: Place, for_us: u64) {
        self.network.cut(from, to, self.now_us + for_us);
        self.after(for_us, Event::Mend);
    }

    /// A link is cut, both ways.
    pub(in crate::cluster) fn cut_link(&mut self, a: Place, b: Place, for_us: u64) {
        self.cut_way(a, b, for_us);
        self.cut_way(b, a, for_us);
    }

    /// Somebody is cut off from all nodes, both ways.
    pub(super) fn cut_off(&mut self, who: Place, for_us: u64) {
        for node in self.nodes() {
            self.cut_link(who, node.into(), for_us);
        }
    }

    pub(super) fn cut_client(&mut self, dice: &mut Dice) -> Option<String> {
        let (node, client) = (self.any_node(dice), self.any_client(dice));
        let for_us = lasts_us(dice);
        self.cut_link(Place::Client(client), node.into(), for_us);
        Some(format!("client {client} is cut from node {node}"))
    }

    /// A client is cut off from everybody, for so long that its session is over.
    pub(super) fn forget_client(&mut self, dice: &mut Dice) -> Result<String, String> {
        let client = self.any_client(dice);
        let for_us = lasts_us(dice);
        self.cut_off(Place::Client(client), for_us);
        self.abandon(client)?;
        Ok(format!("client {client} is cut off, and its session is over"))
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
            down_us: dice.between(2_000, 150_000),
            up_us: dice.between(2_000, 150_000),
            left: dice.between(3, 15) as u32,
        };
        self.after(1, Event::Flap(flap));
        Some(format!("flaps: {flap:?}"))
    }

    /// A link that flaps goes down once more.
    pub(in crate::cluster) fn flap_on(&mut self, flap: Flap) {
        let Flap { from, to, both_ways, down_us, up_us, left } = flap;
        if left == 0 || self.is_calm {
            return;
        }
        self.seen.flaps += 1;
        self.cut_way(from, to, down_us);
        if both_ways {
            self.cut_way(to, from, down_us);
        }
        self.after(down_us + up_us, Event::Flap(Flap { left: left - 1, ..flap }));
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

/// How long a cut lasts: mostly, too short for anybody to be taken to be gone.
fn lasts_us(dice: &mut Dice) -> u64 {
    let long = dice.percent(40);
    if long { dice.between(1, 3_000_000) } else { dice.between(1, 500_000) }
}
