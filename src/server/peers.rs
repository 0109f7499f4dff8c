//! What this node does for other nodes on behalf of their clients.

use super::{Limits, census, progress, query, relay};
use crate::node::Grid;

/// Answers other nodes from now on.
pub(super) fn answer(grid: &Grid, limits: Limits) {
    let Some(net) = grid.net() else { return };
    relay::answer(grid, net);
    query::answer(grid, net);
    census::answer(grid, net);
    progress::answer(grid, net);
    grid.answer_deploys(limits.model_bytes);
}
