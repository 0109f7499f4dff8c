//! Replicas come and go with the configurations.

use std::sync::Arc;

use embergrid::catalog::{Catalogue, Configuration};
use embergrid::partition::{self, Core, Input, Place};
use embergrid::types::{JoinId, Now, PartitionId};

use super::unit::Replica;
use super::{Host, Out};

impl Host {
    /// Brings every partition to the configuration that the catalogue has of it.
    pub(super) fn follow_placement(&mut self, now: Now, catalogue: &Catalogue, out: &mut Vec<Out>) {
        for partition in (0..self.units.len() as u16).map(PartitionId) {
            if let Some(configuration) = catalogue.configuration(partition) {
                self.configure(now, partition, configuration, out);
            }
        }
    }

    fn configure(
        &mut self,
        now: Now,
        partition: PartitionId,
        configuration: &Configuration,
        out: &mut Vec<Out>,
    ) {
        let at = usize::from(partition.0);
        let mine = configuration.replica_at(self.setup.node).map(|replica| replica.join);
        let held = self.units[at].replica.as_ref();
        let is_known = held.is_some_and(|replica| {
            let known = replica.core.configuration();
            (known.generation, known.epoch) >= (configuration.generation, configuration.epoch)
        });
        if is_known || (held.is_none() && mine.is_none()) {
            return;
        }
        let configuration = Arc::new(configuration.clone());
        if let Some(join) = held.map(|replica| replica.join) {
            // It is told even if it is held no longer: whoever waits for it is sent on.
            self.feed(now, partition, Input::Configuration(configuration.clone()), out);
            if mine != Some(join) {
                self.retire(partition, out);
            }
        }
        if let Some(join) = mine
            && self.units[at].replica.is_none()
        {
            self.take_on(now, partition, configuration, join, out);
        }
        self.publish_reader(partition, out);
    }

    fn take_on(
        &mut self,
        now: Now,
        partition: PartitionId,
        configuration: Arc<Configuration>,
        join: JoinId,
        out: &mut Vec<Out>,
    ) {
        let core = Core::new(partition::Setup {
            partition,
            configuration,
            me: join,
            limits: self.setup.limits,
            timing: self.setup.timing,
            seed: u64::from(partition.0),
        });
        self.units[usize::from(partition.0)].replica = Some(Replica::new(join, core));
        self.feed(now, partition, Input::View(self.view.clone()), out);
    }

    fn retire(&mut self, partition: PartitionId, out: &mut Vec<Out>) {
        let primary = self.primary(partition);
        let unit = &mut self.units[usize::from(partition.0)];
        unit.close_feed(primary, out);
        unit.replica = None;
        unit.due_us = None;
    }

    /// Readers read from the primary alone, and each from the tenure in which it was made.
    fn publish_reader(&mut self, partition: PartitionId, out: &mut Vec<Out>) {
        let (at, elsewhere) = (usize::from(partition.0), self.primary(partition));
        let primary = self.core(partition).filter(|core| core.place() == Place::Primary);
        self.readers[at] = primary.map(Core::reader);
        if self.readers[at].is_none() {
            self.units[at].close_feed(elsewhere, out);
        }
    }
}
