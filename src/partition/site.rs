//! Where a replica stands: whose it is, under which configuration, and when.

use std::sync::Arc;

use super::{
    Effect, Limits, View,
    replication::{Body, Frame, Timing},
};
use crate::{
    catalog::{Configuration, Replica},
    mutant::Mutant,
    types::{JoinId, Now, PartitionId},
};

/// What every replica knows, whatever its role.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) partition: PartitionId,
    pub(super) me: JoinId,
    pub(super) configuration: Arc<Configuration>,
    pub(super) limits: Limits,
    pub(super) timing: Timing,
    /// The latest catalogue that the node has. It takes effect through an entry.
    pub(super) latest: Arc<View>,
    /// Until when this replica has promised not to be promoted, in whatever epoch it did.
    pub(super) granted_until_us: u64,
    /// Until when the control leader lets a sole replica serve.
    pub(super) control_lease_us: u64,
    /// Frames that were of another epoch, or of nobody known.
    pub(super) fenced: u64,
    /// What the clocks said last.
    pub(super) now: Now,
}

impl Site {
    /// Says something to another replica.
    pub(super) fn send(&self, to: Replica, body: Body, effects: &mut Vec<Effect>) {
        let Configuration { generation, epoch, .. } = *self.configuration;
        let frame = Frame { partition: self.partition, generation, epoch, from: self.me, to: to.join, body };
        effects.push(Effect::Send { to, frame });
    }

    /// Says something to the primary.
    pub(super) fn tell_primary(&self, body: Body, effects: &mut Vec<Effect>) {
        let mut in_sync = self.configuration.in_sync.iter();
        if let Some(primary) = in_sync.find(|replica| replica.join == self.configuration.primary) {
            self.send(*primary, body, effects);
        }
    }

    /// Whether the frame is for this replica, of the present epoch and from one that it is to hear.
    pub(super) fn admits(&self, frame: &Frame) -> bool {
        let Configuration { generation, epoch, primary, in_sync, learners, eligible, .. } =
            &*self.configuration;
        let is_from_primary = frame.from == *primary;
        let is_from = |replicas: &[Replica]| replicas.iter().any(|replica| replica.join == frame.from);
        let is_for_primary = self.me == *primary;
        if Mutant::AcceptsStaleEpochs.is_on() {
            return frame.to == self.me && frame.generation == *generation;
        }
        frame.to == self.me
            && frame.partition == self.partition
            && frame.generation == *generation
            && frame.epoch == *epoch
            && is_from_primary != is_for_primary
            && (is_from_primary || [in_sync, learners, eligible].into_iter().any(|role| is_from(role)))
    }
}
