//! Primaries change for no reason, again and again; and nodes fail at the very moment in which a change takes effect.

use embergrid::catalog::{Command, ConfigurationChange, Step};
use embergrid::types::{JoinId, PartitionId};

use crate::cluster::control::Asker;
use crate::cluster::events::Event;
use crate::cluster::world::{PARTITIONS, World};
use crate::dice::Dice;

/// What goes wrong with a change is numbered from here on, by the place of the change in the control group's log.
const STRIKES: u32 = 1 << 24;

/// The primary of a partition is to hand its role to a backup, and that one soon to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Swap {
    partition: PartitionId,
    /// Which of the backups, by place.
    which: u64,
    every_us: u64,
    /// Swaps to come.
    left: u64,
}

impl World {
    pub(super) fn swap_roles(&mut self, dice: &mut Dice) -> Option<String> {
        let swap = Swap {
            partition: PartitionId(dice.below(u64::from(PARTITIONS)) as u16),
            which: dice.below(6),
            every_us: dice.between(20_000, 400_000),
            left: dice.below(5),
        };
        self.after(0, Event::Swap(swap));
        Some(format!("{swap:?}"))
    }

    /// The next swap of a chain.
    pub(in crate::cluster) fn swap(&mut self, swap: Swap) {
        let Swap { partition, which, every_us, left } = swap;
        if self.is_calm {
            return;
        }
        if left > 0 {
            self.after(every_us, Event::Swap(Swap { which: which + 1, left: left - 1, ..swap }));
        }
        let Some(held) = self.control.latest().configuration(partition).cloned() else { return };
        let others = held.in_sync.iter().map(|replica| replica.join).filter(|join| *join != held.primary);
        let others: Vec<JoinId> = others.collect();
        if others.is_empty() {
            return;
        }
        let step = Step::Appoint { join: others[which as usize % others.len()] };
        let change = ConfigurationChange { partition, generation: held.generation, epoch: held.epoch, step };
        self.order(Command::Configure(vec![change]));
    }

    /// A change that somebody asked for takes effect: something may go wrong with who asked, at this very moment.
    pub(in crate::cluster) fn strike(&mut self, by: Asker, index: usize) {
        let Asker::Primaries(node, _) = by else { return };
        let number = STRIKES + index as u32;
        let mut dice = Dice::fork(self.seed, u64::from(number));
        if self.is_calm || self.plan.only_moves || !dice.percent(8) || !self.plan.has(number) {
            return;
        }
        let what = match dice.below(3) {
            0 => {
                let back_us = dice.between(50_000, 2_000_000);
                self.crash_now(node, back_us);
                format!("node {node} ends")
            }
            1 => {
                let pause_us = dice.below(2_500_000);
                self.stand_still(node, pause_us)
            }
            _ => self.isolate_node(node, &mut dice),
        };
        self.tell_trouble(number, format!("as a change of node {node} takes effect, {what}"));
    }
}
