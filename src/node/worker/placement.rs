//! Replicas come and go with the configurations.

use std::sync::Arc;

use super::{
    Worker,
    unit::{Replica, Unit},
};
use crate::{
    catalog::{Catalogue, Configuration},
    node::shared::Shared,
    partition::{Core, Input, Place, Setup},
    types::{JoinId, Now},
};

impl Worker {
    /// Brings every partition of this worker to the configuration that the catalogue has of it.
    pub(super) fn follow_placement(&mut self, shared: &Arc<Shared>, now: Now, catalogue: &Catalogue) {
        for unit in 0..self.units.len() {
            if let Some(configuration) = catalogue.configuration(self.units[unit].partition) {
                self.configure(shared, now, unit, configuration);
            }
        }
    }

    fn configure(&mut self, shared: &Arc<Shared>, now: Now, unit: usize, configuration: &Configuration) {
        let mine = configuration.replica_at(shared.me).map(|replica| replica.join);
        let held = self.units[unit].replica.as_ref();
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
            self.feed_core(shared, now, unit, Input::Configuration(configuration.clone()));
            if mine != Some(join) {
                self.retire(shared, unit);
            }
        }
        if let Some(join) = mine
            && self.units[unit].replica.is_none()
        {
            self.take_on(shared, now, unit, configuration, join);
        }
        self.publish_reader(shared, unit);
    }

    /// A replica begins, empty.
    fn take_on(
        &mut self,
        shared: &Arc<Shared>,
        now: Now,
        unit: usize,
        configuration: Arc<Configuration>,
        join: JoinId,
    ) {
        let partition = self.units[unit].partition;
        let core = Core::new(Setup {
            partition,
            configuration,
            me: join,
            limits: shared.limits,
            timing: shared.timing,
            seed: shared.cluster ^ u64::from(partition.0),
        });
        self.units[unit].replica = Some(Replica::new(join, core));
        self.feed_core(shared, now, unit, Input::View(self.view.clone()));
    }

    /// A replica ends, and its rows with it.
    fn retire(&mut self, shared: &Arc<Shared>, unit: usize) {
        self.close_feed(shared, unit);
        self.units[unit].replica = None;
        self.due_us[unit] = u64::MAX;
    }

    /// Readers read from the primary alone, and each from the tenure in which it was made.
    fn publish_reader(&mut self, shared: &Arc<Shared>, unit: usize) {
        let Unit { partition, replica, .. } = &self.units[unit];
        let primary = replica.as_ref().filter(|replica| replica.core.place() == Place::Primary);
        let reader = primary.map(|replica| Arc::new(replica.core.reader()));
        let is_primary = reader.is_some();
        shared.publish_reader(*partition, reader);
        if !is_primary {
            self.close_feed(shared, unit);
        }
    }

    fn close_feed(&mut self, shared: &Arc<Shared>, unit: usize) {
        let unit = &mut self.units[unit];
        if unit.has_subscribers() {
            unit.close_feed(shared.primaries.load().node(unit.partition), &mut self.events);
            shared.subscribers.deliver(unit.partition, &mut self.events);
        }
    }
}
