//! How far the replicas of all partitions are: each primary is asked.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::ask::ask;
use crate::{
    net::{Call, Net},
    node::Grid,
    partition::Account,
    types::PartitionId,
};

/// How long another node may take. What it would have said is left out then: a status is wanted most while something is
/// wrong.
const WITHIN: Duration = Duration::from_secs(1);

/// Asks a node for what its primaries know.
#[derive(Debug, Serialize, Deserialize)]
struct Tell;

impl Call for Tell {
    const NAME: &'static str = "server.progress";
    type Answer = Vec<Account>;
}

/// What the primaries know, as far as their nodes answer.
pub(super) async fn gather(grid: &Grid) -> BTreeMap<PartitionId, Account> {
    let mut asked = JoinSet::new();
    for node in grid.others() {
        let grid = grid.clone();
        asked.spawn(async move { ask(&grid, node, &Tell, WITHIN).await });
    }
    let mut accounts = grid.accounts().await;
    while let Some(answer) = asked.join_next().await {
        accounts.extend(answer.into_iter().flatten().flatten());
    }
    accounts.into_iter().map(|account| (account.partition, account)).collect()
}

/// Tells other nodes.
pub(super) fn answer(grid: &Grid, net: &Net) {
    let grid = grid.downgrade();
    net.answer(move |_, _: Tell| {
        let grid = grid.upgrade();
        async move { Ok(grid?.accounts().await) }
    });
}
