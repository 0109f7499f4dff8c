//! The storm is over: everything comes back, everybody is answered, all replicas become equal; and then what was promised
//! is looked for.

use embergrid::partition::Core;
use embergrid::store::Record;
use embergrid::types::{Key, MapId, NodeId, PartitionId};

use super::super::oracle::{Verdict, balance, debts, expiry, replicas};
use super::{PARTITIONS, World};
use crate::grid;

/// By then, everything is well again.
const PATIENCE_US: u64 = 60_000_000;

impl World {
    pub(super) fn heal(&mut self) -> Verdict {
        self.is_calm = true;
        self.network.heal();
        self.flow_again();
        for at in 0..self.machines.len() {
            let machine = &mut self.machines[at];
            machine.paused_until_us = machine.paused_until_us.min(self.now_us);
            if !machine.is_on && machine.is_member {
                let node = machine.node;
                self.after(1, super::Event::PowerOn(node));
            }
        }
        self.get_well()?;
        self.let_expire()?;
        // A goodbye may have come meanwhile.
        self.get_well()?;
        self.check_end()
    }

    /// Until nothing ails.
    fn get_well(&mut self) -> Verdict {
        let until_us = self.now_us + PATIENCE_US;
        let mut looked_us = self.now_us;
        while let Some(ailing) = self.ailing() {
            if self.now_us > until_us {
                return Err(format!("it does not heal: {ailing}"));
            }
            while self.now_us < looked_us + 50_000 {
                self.step()?;
            }
            looked_us = self.now_us;
        }
        Ok(())
    }

    /// All is well: in a moment nothing is left that should have expired.
    fn let_expire(&mut self) -> Verdict {
        let until_us = self.now_us + 1_000 * expiry::LATE_MOST_MS as u64 + 100_000;
        while self.now_us < until_us {
            self.step()?;
        }
        for partition in (0..PARTITIONS).map(PartitionId) {
            let node = self.control.latest().configuration(partition).and_then(|held| held.primary_node());
            let machine = &self.machines[node.ok_or("lost")?.0 as usize - 1];
            let said =
                expiry::check(self.oracles.of(partition).timeline(), machine.clock.now(self.now_us).wall);
            said.map_err(|broken| format!("partition {partition}: {broken}"))?;
        }
        Ok(())
    }

    fn primary_core(&self, partition: PartitionId) -> Option<&Core> {
        let node = self.control.latest().configuration(partition)?.primary_node()?;
        self.machines[node.0 as usize - 1].host.as_ref()?.core(partition)
    }

    /// The replicas of a partition, as of the latest configuration.
    fn cores(&self, partition: PartitionId) -> Option<Vec<&Core>> {
        let configuration = self.control.latest().configuration(partition)?;
        let core = |node: NodeId| self.machines[node.0 as usize - 1].host.as_ref()?.core(partition);
        configuration.in_sync.iter().map(|replica| core(replica.node)).collect()
    }

    /// What is not well yet.
    fn ailing(&self) -> Option<String> {
        let catalogue = self.control.latest();
        let unanswered: usize = self.clients.iter().map(|client| client.connection.session.under_way()).sum();
        if unanswered > 0 {
            let states = (0..PARTITIONS).map(|partition| self.state_of(PartitionId(partition)));
            let calls = self.clients.iter().flat_map(|client| client.calls.values());
            return Some(format!(
                "{unanswered} operations are unanswered, {:?}\n{}",
                calls.collect::<Vec<_>>(),
                states.collect::<String>()
            ));
        }
        if catalogue.up().len() < self.members().count() {
            return Some("nodes are down".into());
        }
        if let Some(uneven) = balance::uneven(catalogue) {
            return Some(uneven);
        }
        (0..PARTITIONS).map(PartitionId).find_map(|partition| {
            let configuration = catalogue.configuration(partition)?;
            let Some(cores) = self.cores(partition) else {
                return Some(format!("partition {partition}: a replica is missing: {configuration:?}"));
            };
            if let Some(row) = debts::owed(self.oracles.of(partition).timeline()) {
                return Some(format!("partition {partition}: nobody scores {row:?}"));
            }
            let is_full = balance::is_whole(catalogue, configuration);
            let is_told = |core: &&Core| **core.configuration() == *configuration && core.under_way() == 0;
            let end = self.primary_core(partition).map(Core::end);
            // A backup may hold what a primary before had prepared, until something else takes its place.
            let is_even = |core: &&Core| Some(core.position()) == end;
            let is_read =
                self.control.latest().configuration(partition)?.primary_node().is_some_and(|node| {
                    let machine = &self.machines[node.0 as usize - 1];
                    let reader = machine.host.as_ref().and_then(|host| host.reader(partition).ok());
                    reader.is_some_and(|reader| reader.check(machine.clock.mono_us(self.now_us)).is_ok())
                });
            if !is_read || !is_full || !cores.iter().all(is_told) || !cores.iter().all(is_even) {
                return Some(self.state_of(partition));
            }
            let late = self
                .subscribers
                .iter()
                .find(|subscriber| subscriber.followers[usize::from(partition.0)].place() != end);
            late.map(|late| {
                let place = late.followers[usize::from(partition.0)].place();
                format!("partition {partition}: a subscriber is at {place:?}, not {end:?}")
            })
        })
    }

    /// Who holds a partition, and how far they are.
    fn state_of(&self, partition: PartitionId) -> String {
        let mut state =
            format!("partition {partition}: {:?}\n", self.control.latest().configuration(partition));
        for machine in &self.machines {
            let Some(core) = machine.host.as_ref().and_then(|host| host.core(partition)) else { continue };
            state += &format!(
                "  node {}: {:?}, epoch {}, committed {}, prepared {}, serves {}, leased {}, {} under way\n",
                machine.node,
                core.place(),
                core.configuration().epoch,
                core.position(),
                core.end(),
                core.is_serving(),
                core.reader().check(machine.clock.mono_us(self.now_us)).is_ok(),
                core.under_way()
            );
        }
        state
    }

    fn check_end(&mut self) -> Verdict {
        let maps: Vec<MapId> = self.view.maps.keys().copied().collect();
        for partition in (0..PARTITIONS).map(PartitionId) {
            let cores = self.cores(partition).ok_or("a replica is missing")?;
            let said = replicas::check(self.oracles.of(partition).timeline(), &cores, &maps);
            said.map_err(|broken| format!("partition {partition}: {broken}"))?;
        }
        self.oracles.check_order()?;
        self.check_rows()?;
        self.sum_up();
        Ok(())
    }

    /// What clients were told is what they find, where nothing was lost.
    fn check_rows(&self) -> Verdict {
        let amount = |map: &'static str| {
            move |record: Option<Record>| {
                record.map(|record| grid::read(&self.view, grid::map_id(&self.view, map), record.value()).0)
            }
        };
        let found = |name: &str, key: &Key| match self.oracles.holds(key) {
            true => self.stored(grid::map_id(&self.view, name), key).map(Some),
            false => Ok(None),
        };
        self.oracles.once.check(|key| Ok(found(grid::COUNTERS, key)?.map(amount(grid::COUNTERS))))?;
        self.oracles.tallies.check(|key| Ok(found(grid::TALLIES, key)?.map(amount(grid::TALLIES))))?;
        self.oracles.acknowledged.check(|key| Ok(found(grid::MEMBERS, key)?.map(amount(grid::MEMBERS))))?;
        self.oracles.lists.check(|key| {
            let list = |record: Option<Record>| record.map(|record| grid::items(&self.view, record.value()));
            Ok(found(grid::LISTS, key)?.map(list))
        })
    }

    /// What the primary gives for a key, read as any client would.
    fn stored(&self, map: MapId, key: &Key) -> Result<Option<Record>, String> {
        let partition = self.oracles.partition_of(key);
        let node = self.control.latest().configuration(partition).and_then(|held| held.primary_node());
        let machine = &self.machines[node.ok_or("lost")?.0 as usize - 1];
        let reader =
            machine.host.as_ref().ok_or("down")?.reader(partition).map_err(|error| error.to_string())?;
        let found = reader.read(map, key.packed(), || machine.clock.mono_us(self.now_us));
        found.map_err(|error| error.to_string())
    }

    fn sum_up(&mut self) {
        for partition in (0..PARTITIONS).map(PartitionId) {
            for timeline in self.oracles.of(partition).timelines() {
                self.seen.entries += timeline.entries.len() as u64;
                self.seen.scored_late += timeline.scored_late;
                self.seen.expired += timeline.expired;
            }
        }
        let followers = self.subscribers.iter().flat_map(|subscriber| &subscriber.followers);
        self.seen.events += followers.map(|follower| follower.events).sum::<u64>();
        for at in 0..self.machines.len() {
            self.bury(at);
        }
    }

    /// Counts what a node has seen; it ends, or the run does.
    pub(in crate::cluster) fn bury(&mut self, machine: usize) {
        if let Some(host) = &self.machines[machine].host {
            self.seen.truncated += host.truncated;
            self.seen.overruns += host.overruns;
        }
    }
}
