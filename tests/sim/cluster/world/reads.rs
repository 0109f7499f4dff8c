//! A read at a node: the row first, and only then a look at the lease. Anything may come between.

use embergrid::store::{Reader, Record};
use embergrid::types::{Error, MapId, NodeId};

use super::super::draft::What;
use super::super::events::{Inner, Read};
use super::super::oracle::{Verdict, errors, reads::Expected};
use super::World;

impl World {
    /// A node begins to carry a read out.
    pub(super) fn begin_read(&mut self, node: NodeId, read: Read) {
        let Some(host) = &self.machine(node).host else { return };
        match host.reader(read.partition) {
            Ok(reader) => {
                let pause_us = self.pause_us();
                self.within_after(node, pause_us, Inner::Look { read, reader });
            }
            Err(error) => self.pay(node, read.slot, Err(error)),
        }
    }

    fn pause_us(&mut self) -> u64 {
        if self.dice.percent(3) { self.dice.below(900_000) } else { self.dice.below(40) }
    }

    /// The row, whatever the lease says.
    pub(super) fn look(&mut self, node: NodeId, read: Read, reader: Reader) {
        let expected = Expected::now(self.oracles.of(read.partition), read.map, read.key.packed());
        let found = reader.begun().map_err(Error::from);
        match found.and_then(|()| find(&reader, read.map, read.key.packed())) {
            Ok(found) => {
                self.ambush_read(node);
                let pause_us = self.pause_us();
                let check = Inner::Check { read, reader, found, expected };
                self.within_after(node, pause_us, check);
            }
            Err(error) => self.pay(node, read.slot, Err(error)),
        }
    }

    pub(super) fn check(
        &mut self,
        node: NodeId,
        read: Read,
        reader: &Reader,
        found: Option<Record>,
        expected: &Expected,
    ) -> Verdict {
        let now_us = self.now_us;
        let may = reader.check(self.machine(node).clock.mono_us(now_us));
        self.say(|| {
            format!("node {node} reads partition {} in epoch {}: {may:?}", read.partition, reader.epoch())
        });
        match may {
            Err(error) if !self.plan.unchecked_reads => {
                self.seen.unserved += 1;
                self.pay(node, read.slot, Err(error.into()));
            }
            _ => {
                if errors::is_read(self.oracles.of(read.partition), reader.epoch(), now_us)? {
                    expected.check(node, found.as_ref())?;
                }
                self.pay(node, read.slot, Ok(What::Found(found)));
            }
        }
        Ok(())
    }
}

/// The row under a key, without a look at the lease.
fn find(reader: &Reader, map: MapId, key: &[u8]) -> Result<Option<Record>, Error> {
    let missing = || Error::unavailable("the partition does not have this map");
    let cursor = reader.cursor_of(map, key).ok_or_else(missing)?;
    let (records, _) = reader.scan(map, cursor)?;
    Ok(records.into_iter().find(|record| record.key() == key))
}
