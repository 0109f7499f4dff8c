//! Partitions that begin anew, empty.

use std::sync::Arc;

use super::{Change, placed};
use crate::{
    catalog::{Catalogue, Configuration, Replica, Response},
    types::{Epoch, Error, Generation, JoinId, NodeId},
};

pub(super) fn lost(catalogue: &mut Catalogue, unavailable: bool) -> Change {
    let up = catalogue.up();
    // Learners have not got the rows.
    let is_silent = |held: &Configuration| {
        held.in_sync.iter().chain(&held.eligible).all(|replica| !up.contains(&replica.node))
    };
    let is_given_up = |held: &Configuration| held.is_lost() || unavailable && is_silent(held);
    let partitions: Vec<usize> = (0..catalogue.configurations.len())
        .filter(|partition| is_given_up(&catalogue.configurations[*partition]))
        .collect();
    if partitions.is_empty() {
        return Ok((Response::Reset { partitions: 0 }, false));
    }
    let staying = catalogue.staying();
    let mut loads = catalogue.loads(if staying.is_empty() { up } else { staying });
    let next_join = &mut catalogue.next.join;
    let configurations = Arc::make_mut(&mut catalogue.configurations);
    for partition in &partitions {
        let node = loads
            .next_primary()
            .ok_or_else(|| Error::unavailable("no node is up that could hold a partition"))?;
        loads.add_primary(node);
        configurations[*partition] = renewed(&configurations[*partition], fresh_replica(next_join, node));
    }
    placed(catalogue);
    // There are at most as many as partitions of a cluster.
    Ok((Response::Reset { partitions: partitions.len() as u16 }, false))
}

/// The next generation of a partition, held by one empty replica.
pub(super) fn renewed(configuration: &Configuration, replica: Replica) -> Configuration {
    let generation = Generation(configuration.generation.0 + 1);
    Configuration::sole(generation, Epoch(configuration.epoch.0 + 1), replica)
}

/// A replica under a join id that nobody had.
pub(super) fn fresh_replica(next_join: &mut u64, node: NodeId) -> Replica {
    let join = JoinId(*next_join);
    *next_join += 1;
    Replica { join, node }
}
