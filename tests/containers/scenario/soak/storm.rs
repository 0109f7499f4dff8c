//! What disturbs the network and the clocks.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::stage::NODES;
use crate::Told;
use crate::clocks::Clocks;
use crate::dice::Dice;
use crate::nodes::Node;
use crate::relay::{Relay, Weather};

const HOUR: i64 = 3_600;

/// The disturbances, and how many there were of each kind.
pub(super) struct Storm<'a> {
    relay: &'a Relay,
    clocks: &'a Clocks,
    counts: BTreeMap<&'static str, u64>,
}

impl<'a> Storm<'a> {
    pub(super) fn new(relay: &'a Relay, clocks: &'a Clocks) -> Self {
        Self { relay, clocks, counts: BTreeMap::new() }
    }

    /// One disturbance more; those before it stay.
    pub(super) fn disturb(&mut self, dice: &mut Dice) -> Told<()> {
        let node = dice.one_of(&NODES);
        let peer = dice.one_of(&NODES);
        let others = || NODES.into_iter().filter(move |other| *other != node);
        let name = match dice.below(8) {
            0 => {
                self.each_pair(|from, to| self.relay.set(from, to, Weather::rough(dice)));
                "rough_weather"
            }
            1 => {
                others().for_each(|other| self.relay.set(node, other, Weather::rough(dice)));
                "rough_way"
            }
            2 => {
                others().for_each(|other| self.relay.set(node, other, Weather::cut()));
                "mute"
            }
            3 => {
                others().for_each(|other| self.relay.set(other, node, Weather::cut()));
                "deaf"
            }
            4 => {
                others().for_each(|other| {
                    self.relay.set(other, node, Weather::cut());
                    self.relay.set(node, other, Weather::cut());
                });
                "cut_off"
            }
            5 if peer != node => {
                self.relay.set(peer, node, Weather::cut());
                self.relay.set(node, peer, Weather::cut());
                "pair_cut"
            }
            6 => {
                self.clocks.set(node, if dice.percent(50) { HOUR } else { -HOUR })?;
                "clock_moved"
            }
            _ => "calm",
        };
        eprintln!("  {name} {}", node.name());
        *self.counts.entry(name).or_default() += 1;
        Ok(())
    }

    /// All is as it was.
    pub(super) fn calm_down(&self) -> Told<()> {
        self.each_pair(|from, to| self.relay.set(from, to, Weather::default()));
        NODES.into_iter().try_for_each(|node| self.clocks.set(node, 0))
    }

    /// How many there were of each kind, with those of another kind.
    pub(super) fn counts(&self, others: &[&'static str]) -> Value {
        let mut counts = self.counts.clone();
        others.iter().for_each(|name| *counts.entry(*name).or_default() += 1);
        Value::Object(
            counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect::<Map<_, _>>(),
        )
    }

    fn each_pair(&self, mut set: impl FnMut(Node, Node)) {
        for from in NODES {
            NODES.into_iter().filter(|to| *to != from).for_each(|to| set(from, to));
        }
    }
}
