//! Leaving in good order (protocol rule 21): others take over what a node holds before it ends, so that nobody waits for it.

use std::time::Duration;

use tokio::time::{interval, timeout};

use super::grid::Grid;
use crate::{
    catalog::{Catalogue, Command, Configuration},
    types::{Error, Incarnation, NodeId, Result},
};

/// How often it is told what is left.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long the control group may take to hear that a node ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burden {
    /// Partitions of which it is the primary.
    pub primaries: usize,
    /// Partitions of which it is a backup.
    pub backups: usize,
}

impl Burden {
    /// What the node holds by the catalogue.
    pub fn of(node: NodeId, catalogue: &Catalogue) -> Self {
        let count = |holds: &dyn Fn(&Configuration) -> bool| {
            catalogue.configurations().iter().filter(|held| holds(held)).count()
        };
        let is_led = |held: &Configuration| held.primary_node() == Some(node);
        let is_in_sync = |held: &Configuration| held.in_sync.iter().any(|replica| replica.node == node);
        Burden { primaries: count(&is_led), backups: count(&|held| !is_led(held) && is_in_sync(held)) }
    }
}

impl Grid {
    /// Has others take over what a node holds, from now on and for as long as it runs. It goes on serving meanwhile.
    pub async fn drain(&self, node: NodeId) -> Result<()> {
        let incarnation = self.incarnation(node)?;
        self.inner.control.propose(Command::DrainNode { node, incarnation }).await.map(drop)
    }

    /// Leaves the cluster, if anybody can take over: gives away what this node holds, for at most so long, and says
    /// goodbye. `told` hears now and then what is left to give away.
    pub async fn leave(&self, within: Duration, told: impl FnMut(Burden)) {
        if !self.has_heirs() {
            return;
        }
        match timeout(within, self.give_away(told)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("what this node holds could not be given away: {error}"),
            Err(_) => {
                tracing::warn!("not all that this node holds was taken over within {} s", within.as_secs())
            }
        }
        if self.has_heirs() && !matches!(timeout(GOODBYE, self.say_goodbye()).await, Ok(Ok(()))) {
            tracing::warn!("the others could not be told that this node ends: they find out by its silence");
        }
    }

    /// Whether a node is there that could take over.
    fn has_heirs(&self) -> bool {
        let catalogue = self.catalogue();
        let mut others = catalogue.members().filter(|member| member.node.id != self.me());
        others.any(|member| member.is_up() && !member.draining)
    }

    /// Returns when this node holds nothing any more that somebody needs and could have from another.
    async fn give_away(&self, mut told: impl FnMut(Burden)) -> Result<()> {
        self.drain(self.me()).await?;
        let mut catalogue = self.inner.catalogue.clone();
        let mut telling = interval(TELL_EVERY);
        while self.has_heirs() && !catalogue.borrow_and_update().is_safe_to_stop(self.me()) {
            tokio::select! {
                changed = catalogue.changed() => if changed.is_err() { break },
                _ = telling.tick() => told(Burden::of(self.me(), &self.catalogue())),
            }
        }
        Ok(())
    }

    /// Takes this node out of all partitions, as its silence would, but at once.
    async fn say_goodbye(&self) -> Result<()> {
        let node = self.me();
        let incarnation = self.incarnation(node)?;
        self.inner.control.propose(Command::FailNode { node, incarnation }).await.map(drop)
    }

    /// Which start of a node the cluster knows.
    fn incarnation(&self, node: NodeId) -> Result<Incarnation> {
        self.catalogue().member(node).map(|member| member.incarnation).ok_or_else(|| {
            Error::not_found(format!("the node {:016x} is not a member of this cluster", node.0))
        })
    }
}
