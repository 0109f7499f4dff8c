//! Counting the rows of a map, wherever they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{
    ask::ask,
    operation::no_map,
    patience::{Patience, is_passing},
    relay,
    route::Route,
    scan::Scan,
};
use crate::{
    net::{Call, Net},
    node::{Grid, Primaries},
    store::Record,
    types::{BindingId, CatalogueVersion, Class, Error, MapId, NodeId, PartitionId, Result},
};

/// Which rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// All.
    Rows,
    /// Those that have no score of the binding.
    Unscored(BindingId),
}

/// Asks for the rows of some partitions.
#[derive(Debug, Serialize, Deserialize)]
struct Count {
    /// The catalogue that the sender goes by.
    catalogue: CatalogueVersion,
    map: MapId,
    what: What,
    partitions: Vec<PartitionId>,
}

impl Call for Count {
    const NAME: &'static str = "server.size";
    type Answer = Counted;
}

/// What was counted in one place.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counted {
    rows: u64,
    /// The partitions whose primary is not there, or has no lease.
    elsewhere: Vec<PartitionId>,
}

/// How many rows a map has in the cluster: every partition counts once, or the answer is an error. Partitions are counted
/// at different moments.
pub(super) async fn count(grid: &Grid, map: MapId, what: What) -> Result<u64> {
    let mut patience = Patience::until(None, grid.mono_us());
    let mut left: Vec<PartitionId> = grid.partitions().collect();
    let mut rows = 0;
    loop {
        let (counted, refusal) = count_once(grid, map, what, &left).await?;
        rows += counted.rows;
        left = counted.elsewhere;
        match (left.first(), refusal) {
            (None, _) => return Ok(rows),
            (Some(_), Some(refusal)) => patience.pause(grid, refusal).await?,
            (Some(partition), None) => {
                patience.pause(grid, Primaries::elsewhere(*partition, Some(grid.me()))).await?;
            }
        }
    }
}

/// Asks each primary once. What could not be counted is given back, and why, if somebody was not reached.
async fn count_once(
    grid: &Grid,
    map: MapId,
    what: What,
    partitions: &[PartitionId],
) -> Result<(Counted, Option<Error>)> {
    let (here, there) = by_node(grid, partitions)?;
    let mut asked = JoinSet::new();
    for (node, partitions) in there {
        let count = Count { catalogue: grid.view().version, map, what, partitions };
        let grid = grid.clone();
        asked.spawn(async move { count_there(&grid, node, count).await });
    }
    let mut counted = count_here(grid, map, what, &here).await?;
    let mut refusal = None;
    while let Some(answer) = asked.join_next().await {
        let answer = answer.map_err(|error| Error::internal(format!("a count ended: {error}")))?;
        let (part, error) = answer?;
        counted.rows += part.rows;
        counted.elsewhere.extend(part.elsewhere);
        refusal = error.or(refusal);
    }
    Ok((counted, refusal))
}

/// Partitions by the node of their primary.
type Elsewhere = BTreeMap<NodeId, Vec<PartitionId>>;

/// Whom to ask for which partitions: this node, and others.
fn by_node(grid: &Grid, partitions: &[PartitionId]) -> Result<(Vec<PartitionId>, Elsewhere)> {
    let primaries = grid.primaries();
    let mut here = Vec::new();
    let mut there: BTreeMap<NodeId, Vec<PartitionId>> = BTreeMap::new();
    for partition in partitions {
        match Route::to(*partition, &primaries, grid.me()) {
            Route::Here => here.push(*partition),
            Route::At(node) => there.entry(node).or_default().push(*partition),
            Route::Nowhere => return Err(Primaries::elsewhere(*partition, None)),
        }
    }
    Ok((here, there))
}

/// Asks another node. To count again does no harm: whoever is not reached is asked again, or somebody else is.
async fn count_there(grid: &Grid, node: NodeId, count: Count) -> Result<(Counted, Option<Error>)> {
    match ask(grid, node, &count, relay::WITHIN).await {
        Ok(counted) => Ok((counted, None)),
        Err(error) if matches!(error.class, Class::Unavailable | Class::Deadline) => {
            Ok((Counted { rows: 0, elsewhere: count.partitions }, Some(error)))
        }
        Err(error) => Err(error),
    }
}

async fn count_here(grid: &Grid, map: MapId, what: What, partitions: &[PartitionId]) -> Result<Counted> {
    let mut counted = Counted::default();
    for partition in partitions {
        let rows = match what {
            What::Rows => grid.size_of(map, *partition),
            What::Unscored(binding) => unscored(grid, map, *partition, binding),
        };
        match rows {
            Ok(rows) => counted.rows += rows,
            Err(error) if is_passing(&error) => counted.elsewhere.push(*partition),
            Err(error) => return Err(error),
        }
        if what != What::Rows {
            tokio::task::yield_now().await;
        }
    }
    Ok(counted)
}

fn unscored(grid: &Grid, map: MapId, partition: PartitionId, binding: BindingId) -> Result<u64> {
    let is_scored = |record: &Record| record.lineage().any(|lineage| lineage.binding == binding);
    let mut scan = Scan::begin(partition);
    let mut rows = 0;
    while scan.next_shard(grid, map)? {
        rows += scan.records().filter(|record| !is_scored(record)).count() as u64;
    }
    Ok(rows)
}

/// Counts for other nodes.
pub(super) fn answer(grid: &Grid, net: &Net) {
    let grid = grid.downgrade();
    net.answer(move |_, count: Count| {
        let grid = grid.upgrade();
        async move {
            let grid = grid?;
            grid.adopt(count.catalogue).await?;
            if !grid.view().maps.contains_key(&count.map) {
                return Err(no_map(&grid, count.map));
            }
            count_here(&grid, count.map, count.what, &count.partitions).await
        }
    });
}
