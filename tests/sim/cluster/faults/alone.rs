//! Holders are left alone with a partition, by backups that hear them and get nothing from them; and then they are cut off,
//! together with some of those who use them, while others take over.

use embergrid::catalog::{Command, Step};
use embergrid::types::{NodeId, PartitionId};

use super::Ambush;
use crate::cluster::events::Event;
use crate::cluster::network::Place;
use crate::cluster::world::{PARTITIONS, World};
use crate::dice::Dice;

impl World {
    /// The streams of a primary hang until its backups are removed. Soon it is cut off.
    pub(super) fn strand(&mut self, dice: &mut Dice) -> Option<String> {
        let any = PartitionId(dice.below(u64::from(PARTITIONS)) as u16);
        let primaries = self.control.latest().configurations().iter().filter_map(|held| held.primary_node());
        let leader = self.control.leader.filter(|_| dice.percent(35));
        let leading_primary = leader.filter(|leader| primaries.clone().any(|node| node == *leader));
        let node = match leading_primary {
            Some(node) => node,
            None => self.control.latest().configuration(any)?.primary_node()?,
        };
        let (hangs_us, alone_us) = (dice.between(450_000, 1_500_000), dice.between(1_000_000, 4_000_000));
        self.network.hang(node, self.now_us + hangs_us + alone_us);
        self.after(hangs_us + alone_us, Event::Mend);
        self.after(hangs_us, Event::Strand { node, roll: dice.roll(), for_us: alone_us });
        Some(format!("the streams of node {node} hang, and in {hangs_us} us it is cut off for {alone_us} us"))
    }

    /// It is cut off.
    pub(in crate::cluster) fn leave_alone(&mut self, node: NodeId, roll: u64, for_us: u64) {
        if self.is_calm {
            return;
        }
        self.seen.stranded += 1;
        let mut dice = Dice::new(roll);
        let leader = self.control.leader.filter(|leader| *leader != node);
        // Whoever leads may be cut off together with it, and goes on granting it leases as long as it may.
        let company = leader.filter(|_| dice.percent(25));
        for other in self.nodes().filter(|other| Some(*other) != company) {
            self.cut_link(node.into(), other.into(), for_us);
            if let Some(company) = company.filter(|_| other != node) {
                self.cut_link(company.into(), other.into(), for_us);
            }
        }
        let client = self.any_client(&mut dice);
        for other in self.nodes().filter(|other| *other != node) {
            self.cut_link(Place::Client(client), other.into(), for_us);
        }
        match dice.below(4) {
            0 => self.after(dice.below(100_000), Event::Elect),
            1 | 2 => self.ambush = Some(Ambush::Glimpse { for_us: dice.between(60_000, 300_000) }),
            _ => {}
        }
        self.say(|| format!("node {node} is cut off, with {company:?} and client {client}"));
    }

    /// A holder that is silent is to be replaced: before that takes effect, whoever leads hears it once more. How long
    /// it must take to be applied then, in microseconds.
    pub(super) fn glimpse(&mut self, command: &Command, leader: NodeId, for_us: u64) -> Option<u64> {
        let Command::Configure(changes) = command else { return None };
        let promoted = changes.iter().filter(|change| matches!(change.step, Step::Promote { .. }));
        let catalogue = self.control.latest();
        let holders = promoted.filter_map(|change| catalogue.configuration(change.partition)?.primary_node());
        let holders: Vec<NodeId> = holders.collect();
        let mut is_heard = false;
        for holder in holders {
            let Some(until_us) = self.network.join(leader.into(), holder.into()) else { continue };
            is_heard = true;
            let left_us = until_us.saturating_sub(self.now_us + for_us).max(1_000_000);
            self.after(for_us, Event::Part { a: leader, b: holder, for_us: left_us });
        }
        self.flow_again();
        is_heard.then_some(for_us + 1_000)
    }
}
