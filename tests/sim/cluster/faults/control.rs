//! Leaders of the control group are deposed, also in the midst of something; outcomes are lost; models are replaced.

use embergrid::catalog::{Command, ConfigurationChange, Step};
use embergrid::types::NodeId;

use crate::cluster::control::{Asked, Asker};
use crate::cluster::events::Event;
use crate::cluster::world::World;
use crate::dice::Dice;
use crate::grid;

/// Something goes wrong at the next moment of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ambush {
    /// The leader has taken a hand-over or an admission, and another is elected before a majority has it.
    Elect { after_us: u64 },
    /// A hand-over or an admission is applied, and whoever asked for it does not hear of it.
    Hush,
    /// A row is looked up, and the node stands still before it looks at the lease.
    Stall { pause_us: u64 },
    /// The leader has taken the replacement of a silent holder, and hears that one for so long before it takes effect.
    Glimpse { for_us: u64 },
}

impl World {
    pub(super) fn depose(&mut self) -> Result<Option<String>, String> {
        self.elect()?;
        Ok(self.control.leader.map(|leader| format!("node {leader} is elected")))
    }

    pub(super) fn lie_in_wait(&mut self, dice: &mut Dice) -> Option<String> {
        let ambush = match dice.below(3) {
            0 => Ambush::Elect { after_us: dice.between(50, 3_000) },
            1 => Ambush::Hush,
            // Longer than the failure timeout, and than any lease.
            _ => Ambush::Stall { pause_us: dice.between(300_000, 2_500_000) },
        };
        self.ambush = Some(ambush);
        Some(format!("in wait: {ambush:?}"))
    }

    /// The leader has taken a proposal; how long it must take to be applied, in microseconds.
    pub(in crate::cluster) fn ambush_taken(&mut self, command: &Command, leader: NodeId) -> u64 {
        match self.ambush {
            Some(Ambush::Elect { after_us }) if is_move(command) => {
                self.ambush = None;
                self.seen.elections_amid_moves += 1;
                self.after(after_us, Event::Elect);
            }
            Some(Ambush::Glimpse { for_us }) => {
                if let Some(not_before_us) = self.glimpse(command, leader, for_us) {
                    self.ambush = None;
                    self.seen.glimpses += 1;
                    return not_before_us;
                }
            }
            _ => {}
        }
        0
    }

    /// A proposal is applied; true if its asker is not to hear of it.
    pub(in crate::cluster) fn ambush_applied(&mut self, command: &Command) -> bool {
        let is_met = self.ambush == Some(Ambush::Hush) && is_move(command);
        if is_met {
            self.ambush = None;
            self.seen.outcomes_lost_of_moves += 1;
        }
        is_met
    }

    /// A row was looked up at a node.
    pub(in crate::cluster) fn ambush_read(&mut self, node: NodeId) {
        if let Some(Ambush::Stall { pause_us }) = self.ambush.filter(|_| !self.is_calm) {
            self.ambush = None;
            self.seen.stalled_reads += 1;
            let said = self.stand_still(node, pause_us);
            self.say(|| said);
        }
    }

    /// Another version of the model takes over.
    pub(super) fn upgrade(&mut self) -> Option<String> {
        let model = self.control.latest().model("risk").map(|model| model.aliases()["champion"]);
        if model != Ok(self.version) {
            // The one before is on its way.
            return None;
        }
        self.version += 1;
        self.seen.upgrades += 1;
        self.order(grid::upgrade(self.version));
        Some(format!("version {} of the model takes over", self.version))
    }

    pub(super) fn order(&mut self, command: Command) {
        self.propose(Asked { by: Asker::Operator, command });
    }

    /// The operator looks whether something is lost, and begins it anew.
    pub(in crate::cluster) fn operate(&mut self) {
        let pause_us = self.dice.between(200_000, 1_500_000);
        self.after(pause_us, Event::Operator);
        if self.control.latest().configurations().iter().any(|held| held.is_lost()) {
            self.order(Command::ResetLost { unavailable: false });
        }
    }
}

/// Whether a command admits a replica, or hands a primary's role over.
fn is_move(command: &Command) -> bool {
    let is = |change: &ConfigurationChange| matches!(change.step, Step::HandOver { .. } | Step::Admit { .. });
    matches!(command, Command::Configure(changes) if changes.iter().any(is))
}
