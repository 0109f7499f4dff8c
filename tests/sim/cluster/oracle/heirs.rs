//! "Drain: primaries hand over" (protocol rule 21): a node that is to be stopped becomes nobody's primary while one that stays
//! has every row.

use embergrid::catalog::{Catalogue, Configuration};
use embergrid::types::NodeId;

use super::{Verdict, ensure};

/// Somebody else has become the primary, under this catalogue.
pub(crate) fn check(catalogue: &Catalogue, held: &Configuration) -> Verdict {
    let stays =
        |node: NodeId| catalogue.member(node).is_some_and(|member| member.is_up() && !member.draining);
    let other = held.in_sync.iter().find(|replica| stays(replica.node));
    let is_right = held.primary_node().is_none_or(stays) || other.is_none();
    ensure(is_right, || format!("a node that drains is promoted in the place of {other:?}: {held:?}"))
}
