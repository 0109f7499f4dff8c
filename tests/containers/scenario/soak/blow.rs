//! What takes a node away.

use tokio::runtime::Runtime;

use crate::Told;
use crate::arguments::Arguments;
use crate::cluster::{Cluster, is_even};
use crate::dice::Dice;
use crate::nodes::Node;
use crate::scenario::scale;

/// It, and which node it hits.
pub(super) struct Blow {
    kind: Kind,
    pub(super) node: Node,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Restart,
    /// SIGSTOP.
    Pause,
    /// SIGKILL, and its volume is lost: somebody else comes in its place.
    Replace,
    /// A fourth node comes, and leaves again.
    Scale,
    /// Nothing but the storm.
    Nothing,
}

/// The node that comes and leaves.
const FOURTH: Node = Node(4);

impl Blow {
    /// As chance has it.
    pub(super) fn choose(dice: &mut Dice, nodes: &[Node], may_replace: bool) -> Self {
        let node = dice.one_of(nodes);
        match dice.below(10) {
            0..=2 => Self { kind: Kind::Kill, node },
            3 | 4 => Self { kind: Kind::Restart, node },
            5 | 6 => Self { kind: Kind::Pause, node },
            7 if may_replace => Self { kind: Kind::Replace, node },
            8 => Self { kind: Kind::Scale, node: FOURTH },
            _ => Self { kind: Kind::Nothing, node },
        }
    }

    pub(super) fn is_replacement(&self) -> bool {
        self.kind == Kind::Replace
    }

    /// The name used in JSON.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Kill => "kill",
            Kind::Restart => "restart",
            Kind::Pause => "pause",
            Kind::Replace => "replace",
            Kind::Scale => "scale",
            Kind::Nothing => "nothing",
        }
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        format!("{} {}", self.name(), self.node.name())
    }

    /// The node is gone, or comes.
    pub(super) fn strike(&self, arguments: &Arguments) -> Told<()> {
        match self.kind {
            Kind::Kill => self.node.kill(),
            Kind::Restart => self.node.stop(),
            Kind::Pause => self.node.pause(),
            Kind::Replace => self.node.kill().and_then(|()| self.node.remove()),
            Kind::Scale => self.node.create(&arguments.compose),
            Kind::Nothing => Ok(()),
        }
    }

    /// The node is back, if it was gone.
    pub(super) fn mend(&self, arguments: &Arguments) -> Told<()> {
        match self.kind {
            Kind::Kill | Kind::Restart => self.node.start(),
            Kind::Pause => self.node.go_on(),
            Kind::Replace => self.node.create(&arguments.compose),
            Kind::Scale | Kind::Nothing => Ok(()),
        }
    }

    /// Who came leaves again, once it has its share.
    pub(super) fn finish(&self, runtime: &Runtime, cluster: &Cluster<'_>) -> Told<()> {
        if self.kind != Kind::Scale {
            return Ok(());
        }
        let name = self.node.name();
        cluster.wait_for("the fourth node has its share", |status| {
            is_even(status) && status.nodes.iter().any(|node| node.name == name && node.primaries > 0)
        })?;
        scale::leave(runtime, cluster, self.node)
    }
}
