//! Founding, and starts of nodes.

use std::sync::Arc;

use super::Change;
use crate::{
    catalog::{Catalogue, Configuration, MAX_PARTITIONS, Member, Node, Replica, Response, check_name},
    types::{Epoch, Error, Generation, Incarnation, JoinId, NodeId},
};

pub(super) fn found(catalogue: &mut Catalogue, cluster: u64, partition_count: u16, node: &Node) -> Change {
    if catalogue.is_founded() {
        return Err(Error::conflict(format!("the cluster {:016x} is founded already", catalogue.cluster)));
    }
    if cluster == 0 {
        return Err(Error::invalid("a cluster's id is not zero"));
    }
    if !(1..=MAX_PARTITIONS).contains(&partition_count) {
        return Err(Error::invalid(format!("a cluster cannot have {partition_count} partitions"))
            .hint(format!("the count lies between 1 and {MAX_PARTITIONS}")));
    }
    check_name("node", &node.name)?;
    catalogue.cluster = cluster;
    catalogue.partition_count = partition_count;
    let configurations = (0..partition_count).map(|_| {
        let replica = fresh_replica(&mut catalogue.next.join, node.id);
        Configuration::sole(Generation(1), Epoch(1), replica)
    });
    catalogue.configurations = Arc::new(configurations.collect());
    let incarnation = Incarnation(1);
    catalogue.members.insert(node.id, Member { node: node.clone(), incarnation });
    Ok((Response::Started { incarnation, new_generation: false }, true))
}

pub(super) fn start(catalogue: &mut Catalogue, node: &Node) -> Change {
    check_name("node", &node.name)?;
    let member = catalogue.members.get_mut(&node.id).ok_or_else(|| stranger(node.id))?;
    member.incarnation = Incarnation(member.incarnation.0 + 1);
    member.node = node.clone();
    let incarnation = member.incarnation;
    let new_generation = catalogue.members.len() == 1;
    if new_generation {
        begin_generation(catalogue, node.id);
    }
    Ok((Response::Started { incarnation, new_generation }, true))
}

/// The only node has lost its rows and there is nobody to ask for them: every partition begins anew.
fn begin_generation(catalogue: &mut Catalogue, node: NodeId) {
    let next_join = &mut catalogue.next.join;
    for configuration in Arc::make_mut(&mut catalogue.configurations) {
        *configuration = Configuration::sole(
            Generation(configuration.generation.0 + 1),
            Epoch(configuration.epoch.0 + 1),
            fresh_replica(next_join, node),
        );
    }
}

fn fresh_replica(next_join: &mut u64, node: NodeId) -> Replica {
    let join = JoinId(*next_join);
    *next_join += 1;
    Replica { join, node }
}

fn stranger(node: NodeId) -> Error {
    Error::conflict(format!("the node {:016x} is not a member of this cluster", node.0))
        .hint("its data folder belongs to another cluster")
}
