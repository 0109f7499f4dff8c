//! A partition is given up only when everybody who had its rows has restarted: nothing else waives a promise.

use embergrid::catalog::{Configuration, Replica};
use embergrid::types::PartitionId;

use super::{Oracles, Verdict, ensure};

/// One configuration follows another.
pub(crate) fn follows(
    oracles: &mut Oracles,
    now_us: u64,
    partition: PartitionId,
    before: &Configuration,
    after: &Configuration,
    is_alive: impl Fn(&Replica) -> bool,
) -> Verdict {
    if after.is_lost() && !before.is_lost() {
        let alive = before.in_sync.iter().chain(&before.eligible).find(|replica| is_alive(replica));
        ensure(alive.is_none(), || {
            format!("partition {partition} is given up while {alive:?} has its rows: {before:?}")
        })?;
        oracles.partitions[usize::from(partition.0)].lose(now_us);
    }
    if after.generation > before.generation {
        ensure(before.is_lost(), || format!("partition {partition} begins anew from {before:?}"))?;
        oracles.partitions[usize::from(partition.0)].reset(after.generation, after.epoch);
    }
    Ok(())
}
