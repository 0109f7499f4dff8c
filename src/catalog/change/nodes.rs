//! Founding, starts of nodes, silence and return.

use std::sync::Arc;

use super::{
    Change,
    departure::{Departure, depart},
    placed,
    reset::{fresh_replica, renewed},
};
use crate::{
    catalog::{
        Catalogue, Configuration, Founding, MAX_NODES, Member, MemberState, Node, Response, check_name,
    },
    topology::Loads,
    types::{Epoch, Error, Generation, Incarnation, NodeId, Result, Tenure},
};

pub(super) fn found(catalogue: &mut Catalogue, founding: &Founding) -> Change {
    if catalogue.is_founded() {
        return Err(Error::conflict(format!("the cluster {:016x} is founded already", catalogue.cluster)));
    }
    founding.check()?;
    catalogue.cluster = founding.cluster;
    catalogue.partition_count = founding.partition_count;
    catalogue.backup_count = founding.backup_count;
    catalogue.min_in_sync = founding.min_in_sync;
    let incarnation = Incarnation(1);
    let members = founding.nodes().map(|node| (node.id, Member::started(node, incarnation)));
    catalogue.members = members.collect();
    let mut loads = Loads::new(catalogue.members.keys().copied());
    let configurations =
        (0..founding.partition_count).map(|_| place(catalogue, &mut loads, founding.node.id));
    catalogue.configurations = Arc::new(configurations.collect());
    placed(catalogue);
    Ok((Response::Started { incarnation, new_generation: false }, true))
}

/// Places a partition that never held anything: all its replicas have all there is.
fn place(catalogue: &mut Catalogue, loads: &mut Loads, founder: NodeId) -> Configuration {
    let wanted = catalogue.replicas_wanted();
    let next_join = &mut catalogue.next.join;
    let primary = loads.next_primary().unwrap_or(founder);
    loads.add_primary(primary);
    let mut placed = Configuration::sole(Generation(1), Epoch(1), fresh_replica(next_join, primary));
    while placed.in_sync.len() < wanted
        && let Some(node) = loads.next_replica(primary, |node| placed.replica_at(node).is_some())
    {
        loads.add_replica(primary, node);
        placed.in_sync.push(fresh_replica(next_join, node));
    }
    placed
}

pub(super) fn start(catalogue: &mut Catalogue, node: &Node, after: Option<Incarnation>) -> Change {
    check_name("node", &node.name)?;
    let last = catalogue.members.get(&node.id).map_or(Incarnation(0), |member| member.incarnation);
    if let Some(after) = after
        && after != last
    {
        return Err(Error::conflict(format!(
            "the node `{}` is at start {last}, not at start {after}: it was recorded already",
            node.name
        )));
    }
    let Some(member) = catalogue.members.get_mut(&node.id) else { return admit(catalogue, node) };
    let incarnation = Incarnation(member.incarnation.0 + 1);
    *member = Member::started(node, incarnation);
    // Nobody is left who could have the rows, and nobody to tell an operator of it: it begins anew by itself.
    let new_generation = catalogue.members.len() == 1;
    if new_generation {
        begin_generation(catalogue, node.id);
    } else {
        depart(catalogue, node.id, Departure::Restarted);
    }
    placed(catalogue);
    Ok((Response::Started { incarnation, new_generation }, false))
}

/// A node joins, holding nothing.
fn admit(catalogue: &mut Catalogue, node: &Node) -> Change {
    if catalogue.members.len() >= MAX_NODES {
        let gone = forgettable(catalogue).ok_or_else(|| {
            Error::conflict(format!("the cluster has {MAX_NODES} nodes already, the limit"))
        })?;
        catalogue.members.remove(&gone);
    }
    let incarnation = Incarnation(1);
    catalogue.members.insert(node.id, Member::started(node, incarnation));
    placed(catalogue);
    Ok((Response::Started { incarnation, new_generation: false }, false))
}

/// A silent node that holds nothing: one without a data folder comes back as another, so they add up.
fn forgettable(catalogue: &Catalogue) -> Option<NodeId> {
    let holds = |node| catalogue.configurations.iter().any(|held| held.replica_at(node).is_some());
    let silent = catalogue.members.values().filter(|member| !member.is_up());
    silent.map(|member| member.node.id).find(|node| !holds(*node))
}

fn begin_generation(catalogue: &mut Catalogue, node: NodeId) {
    let next_join = &mut catalogue.next.join;
    for configuration in Arc::make_mut(&mut catalogue.configurations) {
        *configuration = renewed(configuration, fresh_replica(next_join, node));
    }
}

pub(super) fn fail(catalogue: &mut Catalogue, node: NodeId, incarnation: Incarnation) -> Change {
    let changed = turn(catalogue, node, incarnation, MemberState::Down)?;
    if changed {
        depart(catalogue, node, Departure::Silent);
    }
    Ok((Response::Node { changed }, false))
}

pub(super) fn welcome(catalogue: &mut Catalogue, node: NodeId, incarnation: Incarnation) -> Change {
    let changed = turn(catalogue, node, incarnation, MemberState::Up)?;
    Ok((Response::Node { changed }, false))
}

pub(super) fn drain(catalogue: &mut Catalogue, node: NodeId, incarnation: Incarnation) -> Change {
    let member = member_at(catalogue, node, incarnation)?;
    let changed = !std::mem::replace(&mut member.draining, true);
    if changed {
        placed(catalogue);
    }
    Ok((Response::Node { changed }, false))
}

/// Whether the state of this start of the node is another now.
fn turn(
    catalogue: &mut Catalogue,
    node: NodeId,
    incarnation: Incarnation,
    state: MemberState,
) -> Result<bool> {
    let member = member_at(catalogue, node, incarnation)?;
    let changed = member.state != state;
    member.state = state;
    if changed {
        placed(catalogue);
    }
    Ok(changed)
}

/// A node that is at this start.
fn member_at(catalogue: &mut Catalogue, node: NodeId, incarnation: Incarnation) -> Result<&mut Member> {
    let member = catalogue.members.get_mut(&node).ok_or_else(|| {
        Error::not_found(format!("the node {:016x} is not a member of this cluster", node.0))
    })?;
    if member.incarnation != incarnation {
        return Err(Error::conflict(format!(
            "start {incarnation} of the node `{}` is over: it is at start {}",
            member.node.name, member.incarnation
        )));
    }
    Ok(member)
}

pub(super) fn lead(catalogue: &mut Catalogue) -> Change {
    catalogue.tenure = Tenure(catalogue.tenure.0 + 1);
    placed(catalogue);
    Ok((Response::Leads { tenure: catalogue.tenure }, false))
}
